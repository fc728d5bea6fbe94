import type { Faults } from "./faults";
import type { Simulation } from "./simulation";

/** Thrown by calls of an invocation that has crashed: the caller no longer exists, so the call has no effect. */
export class CrashedError extends Error {
  constructor() {
    super("the invocation has crashed");
  }
}

/** The timeout of every function here: shorter than a worker's life and the queue's visibility timeout. */
const LIMIT_MS = 25_000;

/** How far a host's clock may be from the true time. */
const MAX_SKEW_MS = 3_000;

/**
 * One invocation of a function. Each of its calls to a service takes time and may fail, before or after it took effect. The
 * invocation may crash between any two calls: then the handler runs on, but its calls no longer reach any service.
 */
export class Invocation {
  readonly startedAt: number;
  isOver = false;
  /** Whether it has crashed, or one of its calls has failed: what it has done may be done again. */
  isTroubled = false;
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

  /** Epoch milliseconds, by its host's clock. */
  readonly now = (): number => {
    if (this.faults.happens("clock steps during an invocation")) this.step();
    return Math.floor(this.simulation.now + this.skewMs);
  };

  /** As in Lambda's context. Independent of real time: the end is either far off, or reached. */
  readonly getRemainingTimeInMillis = (): number => {
    if (!this.faults.happens("invocation has no time left")) return 1_000_000;
    this.isTroubled = true;
    return 0;
  };

  /** Runs the handler; undefined if the invocation has crashed. */
  async run<T>(handler: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await handler();
      return this.isOver ? undefined : answer;
    } catch (error) {
      // An injected fault fails the invocation; a bug of the handler ends the run.
      if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      return undefined;
    } finally {
      this.isOver = true;
      this.simulation.clock.clearTimeout(this.limit);
    }
  }

  crash(): void {
    this.isOver = true;
    this.isTroubled = true;
  }

  /** Resolves when a request has reached its service. */
  async reach(): Promise<void> {
    const { simulation, faults } = this;
    if (!this.isOver && faults.happens("invocation crashes between two calls")) this.crash();
    if (this.isOver) throw new CrashedError();
    await simulation.pause(simulation.latency());
    // A request that was under way at the crash may still arrive.
    if (this.isOver && simulation.chance(0.5)) throw new CrashedError();
  }

  /** A call to a table. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    const { faults } = this;
    await this.reach();
    if (faults.happens("table call fails")) throw this.failure();
    let result = await work();
    if (faults.happens("table call is made twice by the SDK")) result = await work();
    if (faults.happens("table call fails after it took effect")) throw this.failure();
    if (this.isOver) throw new CrashedError();
    return result;
  }

  /** The error of a call that fails. */
  failure(): ServiceError {
    this.isTroubled = true;
    return new ServiceError();
  }

  /** The service, with each method as a call of this invocation. */
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

/** Thrown by a call that fails. */
export class ServiceError extends Error {
  constructor() {
    super("the service fails");
  }
}
