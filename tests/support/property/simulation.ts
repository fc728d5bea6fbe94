import { settled, VirtualClock } from "../virtualClock";
import { mulberry32 } from "../mulberry32";

/** The virtual time and the randomness of one run: the same seed always gives the same run. */
export class Simulation {
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly clock = new VirtualClock(1_700_000_000_000);
  private fault: { error: unknown } | undefined;

  constructor(seed: number) {
    this.random = mulberry32(seed);
  }

  /** Epoch milliseconds. */
  get now(): number {
    return this.clock.now();
  }

  after(ms: number, work: () => void): void {
    this.clock.setTimeout(work, ms);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms));
  }

  /** Starts a task; an error of it ends the run. */
  start(task: () => Promise<void>): void {
    task().catch((error: unknown) => this.fail(error));
  }

  /** Ends the run. */
  fail(error: unknown): void {
    this.fault ??= { error };
  }

  /** Runs until `isDone`. Before each event, all work that follows from the last one has reached its next wait. */
  async run(isDone: () => boolean): Promise<void> {
    for (;;) {
      await settled();
      if (this.fault) throw this.fault.error;
      if (isDone()) return;
      if (!this.clock.runNext()) throw new Error("no call can continue");
    }
  }

  /** Runs until `isDone`, ignoring errors: the run is over, and has been checked. */
  async end(isDone: () => boolean): Promise<void> {
    for (await settled(); !isDone() && this.clock.runNext();) await settled();
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  /** Exponentially distributed: the waits of a memoryless process. */
  exponential(mean: number): number {
    return -Math.log(1 - this.random()) * mean;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }

  /** The time that a call or a frame takes: mostly milliseconds, rarely seconds, so that other events come in between. */
  latency(): number {
    const r = this.random();
    if (r < 0.85) return this.between(1, 10);
    if (r < 0.97) return this.between(10, 200);
    return r < 0.995 ? this.between(200, 2_000) : this.between(2_000, 8_000);
  }
}
