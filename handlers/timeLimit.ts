import { setMaxListeners } from "node:events";

/** A signal that aborts after that time, at once if none is left; and with `outer`, if it is given. */
export function timeLimit(ms: number, outer?: AbortSignal): AbortSignal {
  const own = ms > 0 ? AbortSignal.timeout(Math.ceil(ms)) : AbortSignal.abort();
  const signal = outer ? AbortSignal.any([outer, own]) : own;
  // Each pending request adds a listener: more than ten are not a leak.
  setMaxListeners(0, signal);
  return signal;
}

/** What the work resolves with. Rejects once the signal has aborted, also if the work cannot be stopped: then it goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  return await Promise.race([work, aborted]);
}
