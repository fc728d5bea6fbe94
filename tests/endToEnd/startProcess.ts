import { type ChildProcess, spawn } from "node:child_process";
import { repository } from "../support/repository";

/** `local/run/start.ts` in a process of its own. */
export function startProcess(flags: string[], folder = repository) {
  const child = spawn(process.execPath, ["-r", "./transpile", "local/run/start.ts", ...flags], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  return child;
}

const started: ChildProcess[] = [];

const endAll = () => started.forEach((child) => child.kill("SIGTERM"));
// What a failed test has left running would keep the runner from ever ending.
after(endAll);
process.once("exit", endAll);
