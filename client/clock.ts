/** The time and timers that the client uses. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** The globals that the client uses if they exist, so that it needs neither Node's nor a browser's types. */
export interface Surroundings {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
  WebSocket?: unknown;
  console?: { error(...values: unknown[]): void };
  addEventListener?: Listen;
  removeEventListener?: Listen;
  /** A page's. */
  document?: { visibilityState?: string; addEventListener?: Listen; removeEventListener?: Listen };
}

export interface PageEvent {
  type: string;
  /** In `pageshow`: whether the page comes from the back-forward cache. */
  persisted?: boolean;
}

type Listen = (type: string, listener: (event: PageEvent) => void) => void;

export const surroundings = globalThis as unknown as Surroundings;

export const systemClock: Clock = {
  now: () => Date.now(),
  // Called as methods of the global object: otherwise browsers throw.
  setTimeout: (callback, delayMs) => surroundings.setTimeout(callback, delayMs),
  clearTimeout: (handle) => surroundings.clearTimeout(handle),
};

/** A single pending callback. */
export class Timer {
  private handle: unknown;
  armed = false;

  constructor(private readonly clock: Clock) {}

  /** Replaces the pending callback. */
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
