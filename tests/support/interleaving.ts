import { mulberry32 } from "./mulberry32";

/** Tasks that take turns in a random order, which the seed decides: the same seed always gives the same run. */
export class Interleaving {
  /** Epoch milliseconds. It moves only when someone has a turn. */
  now = 1_700_000_000_000;
  /** Answers from [0, 1). */
  readonly random: () => number;
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  private fault: { error: unknown } | undefined;

  constructor(
    seed: number,
    /** How many of the steps take long, and how long at most. */
    private readonly slow = { chance: 0.1, ms: 20_000 },
  ) {
    this.random = mulberry32(seed);
  }

  /** Resolves when it is the caller's turn, at least `ms` later. Meanwhile anything may have happened, and time have passed. */
  async turn(ms = 0): Promise<void> {
    const due = this.now + ms;
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    // Most steps take no time to speak of, and some take very long.
    this.now += this.random() < this.slow.chance ? this.random() * this.slow.ms : this.random() * 100;
    this.now = Math.max(this.now, due);
  }

  /** Starts a task; tasks may start others. */
  start(task: () => Promise<void>): void {
    this.running += 1;
    task()
      .catch((error: unknown) => (this.fault = { error }))
      .finally(() => (this.running -= 1));
  }

  /** Resolves when every task is done; rejects with what one of them threw. */
  async finish(): Promise<void> {
    for (;;) {
      // Until then everyone has come to the next turn.
      await new Promise(setImmediate);
      if (this.fault) throw this.fault.error;
      if (this.running === 0) return;
      const [next] = this.waiting.splice(Math.floor(this.random() * this.waiting.length), 1);
      if (!next) throw new Error("no call can continue");
      next();
    }
  }
}
