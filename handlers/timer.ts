import { setTimeout } from "node:timers/promises";

/** Resolves after that time; rejects once the signal has aborted. */
export async function timer(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal });
}
