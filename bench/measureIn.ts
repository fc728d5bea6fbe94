import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Measured, Row } from "./measure";

/** Measures the code in a folder, in a process of its own. */
export async function measureIn(
  folder: string,
  rows: readonly (Row | "sequential")[],
  quick: boolean,
): Promise<Measured> {
  const child = spawn(
    process.execPath,
    ["-r", join(folder, "transpile.js"), join(folder, "bench/measureProcess.ts"), JSON.stringify({ rows, quick })],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(String(signal ?? code)));
  });
  const [stdout, status] = await Promise.all([text(child.stdout), ended]);
  if (status !== "0") throw new Error(`the measurements in ${folder} ended with ${status}`);
  return JSON.parse(stdout) as Measured;
}
