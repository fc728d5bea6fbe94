import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import type { AddressSources } from "./relayAddresses";

/** Files, what is piped in, and the `pulumi` CLI in the current folder. */
export const addressSources: AddressSources = {
  async readFile(path) {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      throw new Error(`--addresses: got ${JSON.stringify(path)}, which cannot be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
  },
  readStdin: () => text(process.stdin),
  async stackOutput(stack) {
    const args = ["stack", "output", "--json", ...(stack === undefined ? [] : ["--stack", stack])];
    try {
      return (await promisify(execFile)("pulumi", args)).stdout;
    } catch (error) {
      const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
      const why =
        code === "ENOENT"
          ? "the pulumi CLI is not installed"
          : stderr.trim().replace(/^error: /, "") || (error as Error).message;
      throw new Error(
        `pulumi ${args.join(" ")} gave no addresses: ${why}. Run it in the Pulumi program's folder, name a stack with ` +
          "--stack, or give the addresses as JSON with --addresses FILE (- for what is piped in)",
        { cause: error },
      );
    }
  },
};
