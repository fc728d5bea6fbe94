import { setMaxListeners } from "node:events";

/** A signal that aborts after that time; at once if none is left. */
export function timeLimit(ms: number): AbortSignal {
  const signal = ms > 0 ? AbortSignal.timeout(Math.ceil(ms)) : AbortSignal.abort();
  // Each pending request adds a listener: more than ten are not a leak.
  setMaxListeners(0, signal);
  return signal;
}
