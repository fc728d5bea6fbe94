/** Milliseconds from the transport's `open` to the first, and to the last message that was missed. */
export interface RecoveryTimes {
  firstMs: number;
  allMs: number;
}

/** What a client receives, and when, by the clock of its own process. */
export class Reception {
  /** When the transport opened, by `performance.now()`. */
  openedAtMs = 0;
  private count = 0;
  private firstAt = 0;
  private lastAt = 0;
  private expected = Infinity;
  private done: (() => void) | undefined;

  /** The transport is open. */
  opened(): void {
    this.openedAtMs = performance.now();
  }

  /** The client has handed a message to its user. */
  message(): void {
    this.lastAt = performance.now();
    this.count += 1;
    if (this.count === 1) this.firstAt = this.lastAt;
    if (this.count === this.expected) this.done?.();
  }

  /** Resolves once so many messages have arrived from now on. */
  received(expected: number): Promise<void> {
    [this.count, this.expected] = [0, expected];
    return new Promise((resolve) => (this.done = resolve));
  }

  /** Resolves once so many messages have arrived after a next `open`, with how long they took. */
  async measure(expected: number): Promise<RecoveryTimes> {
    this.openedAtMs = 0;
    await this.received(expected);
    if (this.openedAtMs === 0) throw new Error("messages arrived without an open");
    return { firstMs: this.firstAt - this.openedAtMs, allMs: this.lastAt - this.openedAtMs };
  }
}
