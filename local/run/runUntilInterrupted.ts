import { constants } from "node:os";
import type { LocalRun } from "./localRun";

/**
 * Starts a local run in a process of its own, which ends at Ctrl-C, or with exit code 1 when something fails. An interrupt
 * before the run is announced exits with 128 and the signal's number.
 *
 * @param start Gets the class as an argument: loading it takes two seconds, in which Ctrl-C has to work already.
 * @param endChildren Resolves when the processes that the start waits for have ended.
 */
export async function runUntilInterrupted(
  start: (localRun: typeof LocalRun, onLateError: (error: Error) => void) => Promise<LocalRun>,
  announce: (run: LocalRun) => void,
  endChildren: (signal: NodeJS.Signals) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let stopping = false;
  let announced = false;
  const stop = async (exitCode: number, signal: NodeJS.Signals = "SIGTERM") => {
    if (stopping) return;
    stopping = true;
    await endChildren(signal);
    // A part that does not end must not block the terminal; none has anything to lose.
    setTimeout(() => process.exit(exitCode), 4_000).unref();
    const run = await starting.catch(() => undefined);
    await run?.close();
    process.exit(exitCode);
  };
  const fail = (error: Error) => {
    if (stopping) return;
    console.error(`error: ${oneLine(error)}`);
    void stop(1);
  };
  // npm forwards Ctrl-C to a child that has already got it from the terminal.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => void stop(announced ? 0 : 128 + constants.signals[signal], signal));
  }

  const module = require("./localRun") as typeof import("./localRun");
  const starting = start(module.LocalRun, fail);
  try {
    const run = await starting;
    if (stopping) return;
    announced = true;
    announce(run);
    for (const warning of run.warnings) console.error(`warning: ${warning}`);
  } catch (error) {
    if (error instanceof Finished) void stop(error.exitCode);
    else fail(error as Error);
  }
}

/** Thrown by a start that ended by itself and has printed everything already. */
export class Finished extends Error {
  constructor(readonly exitCode: number) {
    super(`finished with ${exitCode}`);
  }
}

export function exitWithError(error: unknown): void {
  console.error(`error: ${oneLine(error as Error)}`);
  process.exit(1);
}

function oneLine(error: Error): string {
  return error.message.split("\n").join(" ").trim();
}
