import type { Faults } from "./faults";
import type { Simulation } from "./simulation";

/** What a call of an invocation that has crashed throws: the caller no longer exists, so the call has no effect. */
export class CrashedError extends Error {
  constructor() {
    super("the invocation has crashed");
  }
}

/** Lambda's own limit of every function here: shorter than a worker's life and the queue's visibility timeout. */
const LIMIT_MS = 25_000;

/** How far two hosts' clocks may be apart, from the true time. */
const MAX_SKEW_MS = 3_000;

/**
 * One invocation of a function: each of its calls to a service takes time, and may fail before or after it took effect; and it
 * may crash between any two of them. The handler runs on, but no call of it reaches anything any more.
 */
export class Invocation {
  readonly startedAt: number;
  isOver = false;
  private skewMs = 0;
  private readonly limit: unknown;

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
  ) {
    this.startedAt = simulation.now;
    if (faults.happens("clock differs from the others'")) this.step();
    this.limit = simulation.clock.setTimeout(() => this.crash(), LIMIT_MS);
  }

  /** Epoch milliseconds, as its host's clock goes. */
  readonly now = (): number => {
    if (this.faults.happens("clock steps during an invocation")) this.step();
    return Math.floor(this.simulation.now + this.skewMs);
  };

  /** What Lambda's context says. Real time plays no part: it is either far off, or over. */
  readonly getRemainingTimeInMillis = (): number =>
    this.faults.happens("invocation has no time left") ? 0 : 1_000_000;

  /** Runs the handler; undefined where the invocation has crashed. */
  async run<T>(handler: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await handler();
      return this.isOver ? undefined : answer;
    } catch (error) {
      // What it throws for a fault fails the invocation; a fault of its own code ends the run.
      if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      return undefined;
    } finally {
      this.isOver = true;
      this.simulation.clock.clearTimeout(this.limit);
    }
  }

  crash(): void {
    this.isOver = true;
  }

  /** Until a request has reached its service. */
  async reach(): Promise<void> {
    const { simulation, faults } = this;
    if (!this.isOver && faults.happens("invocation crashes between two calls")) this.crash();
    if (this.isOver) throw new CrashedError();
    await simulation.pause(simulation.latency());
    // What was under way when it crashed may arrive all the same.
    if (this.isOver && simulation.chance(0.5)) throw new CrashedError();
  }

  /** A call to a table. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    const { faults } = this;
    await this.reach();
    if (faults.happens("table call fails")) throw new ServiceError();
    let result = await work();
    if (faults.happens("table call is made twice by the SDK")) result = await work();
    if (faults.happens("table call fails after it took effect")) throw new ServiceError();
    if (this.isOver) throw new CrashedError();
    return result;
  }

  /** The service, each method of which is a call of this invocation. */
  bound<T extends object>(service: T): T {
    return new Proxy(service, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => this.call(() => Reflect.apply(value, target, args) as Promise<unknown>);
      },
    });
  }

  private step(): void {
    this.skewMs = this.simulation.between(-MAX_SKEW_MS, MAX_SKEW_MS);
  }
}

/** What a service answers that fails. */
export class ServiceError extends Error {
  constructor() {
    super("the service fails");
  }
}
