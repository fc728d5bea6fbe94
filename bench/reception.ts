/** Milliseconds from the transport's `open` to the first and to the last missed message. */
export interface RecoveryTimes {
  firstMs: number;
  allMs: number;
}

/** Records the times of received messages, by the clock of the client's process. */
export class Reception {
  /** When the transport opened, by `performance.now()`. */
  openedAtMs = 0;
  private count = 0;
  private firstAt = 0;
  private lastAt = 0;
  private expected = Infinity;
  private done: (() => void) | undefined;

  /** @param onMessage Gets each body, too. @default none */
  constructor(private readonly onMessage?: (body: string) => void) {}

  /** The transport is open. */
  opened(): void {
    this.openedAtMs = performance.now();
  }

  /** The client has passed a message to its callback. */
  message(body: string): void {
    this.onMessage?.(body);
    this.lastAt = performance.now();
    this.count += 1;
    if (this.count === 1) this.firstAt = this.lastAt;
    if (this.count === this.expected) this.done?.();
  }

  /** Resolves once this number of messages has arrived from now on. */
  received(expected: number): Promise<void> {
    [this.count, this.expected] = [0, expected];
    return new Promise((resolve) => (this.done = resolve));
  }

  /** Resolves with the times once this number of messages has arrived after the next `open`. */
  async measure(expected: number): Promise<RecoveryTimes> {
    this.openedAtMs = 0;
    await this.received(expected);
    if (this.openedAtMs === 0) throw new Error("messages arrived without an open");
    return { firstMs: this.firstAt - this.openedAtMs, allMs: this.lastAt - this.openedAtMs };
  }
}
