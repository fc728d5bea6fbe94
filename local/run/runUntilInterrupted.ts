import type { LocalRun } from "./localRun";

/**
 * Starts a local run in a process of its own, which ends at Ctrl-C, or with exit code 1 when something fails.
 *
 * @param start Gets the class by argument: loading it takes two seconds, in which Ctrl-C has to work already.
 */
export async function runUntilInterrupted(
  start: (localRun: typeof LocalRun, onLateError: (error: Error) => void) => Promise<LocalRun>,
  announce: (run: LocalRun) => void,
): Promise<void> {
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    // The parts have nothing to lose; one that does not end must not keep the others, nor the terminal.
    setTimeout(() => process.exit(exitCode), 4_000).unref();
    const run = await starting.catch(() => undefined);
    await run?.close();
    process.exit(exitCode);
  };
  const fail = (error: Error) => {
    console.error(`error: ${oneLine(error)}`);
    void stop(1);
  };
  // npm forwards Ctrl-C to a child that has already got it from the terminal.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop(0));

  const module = require("./localRun") as typeof import("./localRun");
  const starting = start(module.LocalRun, fail);
  try {
    const run = await starting;
    if (stopping) return;
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
