/** The clock and the timers of a stream; tests pass their own. */
export interface Timers {
  /** Milliseconds since any point in time. */
  now(): number;
  set(callback: () => void, delayMs: number): unknown;
  /** A timer that does not keep the process running. */
  setUnref(callback: () => void, delayMs: number): unknown;
  clear(timer: unknown): void;
}

export const processTimers: Timers = {
  now: () => performance.now(),
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  setUnref: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};
