import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import type { AddressSources } from "./relayAddresses";

/** Reads files, stdin, and the outputs of the `pulumi` CLI in the current folder. */
export const addressSources: AddressSources = {
  async readFile(path) {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      throw new Error(
        `--addresses: got ${JSON.stringify(path)}, which cannot be read (${(error as Error).message}). ` +
          "Fix: pass the path of a readable file, or - for stdin",
        { cause: error },
      );
    }
  },
  readStdin: () => text(process.stdin),
  async stackOutput(stack) {
    const args = ["stack", "output", "--json", ...(stack === undefined ? [] : ["--stack", stack])];
    try {
      return (await promisify(execFile)("pulumi", args)).stdout;
    } catch (error) {
      const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
      const isMissing = code === "ENOENT";
      const why = isMissing
        ? "the pulumi CLI is not installed"
        : stderr.trim().replace(/^error: /, "") || (error as Error).message;
      const fix = isMissing
        ? "install it"
        : "run this command in the Pulumi program's folder, name a stack with --stack";
      throw new Error(
        `pulumi ${args.join(" ")} failed: ${why}. Fix: ${fix}, or pass the addresses as JSON with --addresses FILE (- for stdin)`,
        { cause: error },
      );
    }
  },
};
