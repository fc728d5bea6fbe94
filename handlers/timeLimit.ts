import { setMaxListeners } from "node:events";

/** Aborts when so much time has passed; at once where none is left. */
export function timeLimit(ms: number): AbortSignal {
  const signal = ms > 0 ? AbortSignal.timeout(Math.ceil(ms)) : AbortSignal.abort();
  // Each request under way listens, and more than ten are no leak.
  setMaxListeners(0, signal);
  return signal;
}
