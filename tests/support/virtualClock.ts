import type { Clock } from "../../client";

interface Timer {
  atMs: number;
  /** Of two at one time, the one that was set first is first. */
  order: number;
  callback: (() => void) | undefined;
}

/** Time that passes only when it is told to: timers go off in their order, at once. */
export class VirtualClock implements Clock {
  /** A heap: the first one is due next. */
  private readonly timers: Timer[] = [];
  private order = 0;
  /** How many are set. */
  pending = 0;

  constructor(private nowMs = 1_800_000_000_000) {}

  now(): number {
    return this.nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer = { atMs: this.nowMs + Math.max(delayMs, 0), order: this.order++, callback };
    this.pending++;
    this.timers.push(timer);
    this.rise(this.timers.length - 1);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    const timer = handle as Timer | undefined;
    if (!timer?.callback) return;
    timer.callback = undefined;
    this.pending--;
  }

  /** When the next timer is due, in epoch milliseconds. */
  get nextMs(): number | undefined {
    while (this.timers[0] && !this.timers[0].callback) this.pop();
    return this.timers[0]?.atMs;
  }

  /** Goes on to the next timer, and runs it; false where there is none. */
  runNext(): boolean {
    if (this.nextMs === undefined) return false;
    const { atMs, callback } = this.pop() as Timer;
    this.nowMs = atMs;
    this.pending--;
    callback?.();
    return true;
  }

  /** Lets so much time pass, and each timer do all that it starts before the next one goes off. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    await settled();
    while ((this.nextMs ?? Infinity) <= untilMs) {
      this.runNext();
      await settled();
    }
    this.nowMs = untilMs;
  }

  private rise(at: number): void {
    for (let parent; at > 0; at = parent) {
      parent = (at - 1) >> 1;
      if (!this.swapped(parent, at)) return;
    }
  }

  private pop(): Timer | undefined {
    const [first] = this.timers;
    const last = this.timers.pop();
    if (!last || this.timers.length === 0) return first;
    this.timers[0] = last;
    for (let at = 0, child = 1; child < this.timers.length; at = child, child = 2 * at + 1) {
      if (child + 1 < this.timers.length && isBefore(this.timers[child + 1], this.timers[child])) child++;
      if (!this.swapped(at, child)) break;
    }
    return first;
  }

  private swapped(parent: number, child: number): boolean {
    const [upper, lower] = [this.timers[parent] as Timer, this.timers[child] as Timer];
    if (!isBefore(lower, upper)) return false;
    this.timers[parent] = lower;
    this.timers[child] = upper;
    return true;
  }
}

/** Promises that are fulfilled already have done what follows from them. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Timer | undefined, b: Timer | undefined): boolean {
  if (!a || !b) return false;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
