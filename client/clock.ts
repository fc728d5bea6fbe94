/** Time, as the client needs it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** What the client uses of its surroundings, where it is there: neither Node's nor a browser's types are needed. */
export interface Surroundings {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
  WebSocket?: unknown;
  console?: { error(...values: unknown[]): void };
  addEventListener?: (type: string, listener: () => void) => void;
  removeEventListener?: (type: string, listener: () => void) => void;
}

export const surroundings = globalThis as unknown as Surroundings;

export const systemClock: Clock = {
  now: () => Date.now(),
  // Called as a function of the global object: browsers throw otherwise.
  setTimeout: (callback, delayMs) => surroundings.setTimeout(callback, delayMs),
  clearTimeout: (handle) => surroundings.clearTimeout(handle),
};

/** One thing that will happen, unless something else does before. */
export class Timer {
  private handle: unknown;
  armed = false;

  constructor(private readonly clock: Clock) {}

  /** Instead of what was set before. */
  set(delayMs: number, callback: () => void): void {
    this.clear();
    this.armed = true;
    this.handle = this.clock.setTimeout(() => {
      this.armed = false;
      callback();
    }, delayMs);
  }

  clear(): void {
    if (this.armed) this.clock.clearTimeout(this.handle);
    this.armed = false;
  }
}
