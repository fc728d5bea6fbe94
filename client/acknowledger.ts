import type { Acknowledgement, Cursor } from "../protocol";
import { Timer } from "./clock";
import type { Settings } from "./settings";

/**
 * Acknowledges the handled messages to the relay, cumulatively. A resume's cursor acknowledges, too, so an acknowledgement that
 * does not arrive is covered by the next resume.
 */
export class Acknowledger {
  private readonly timer: Timer;
  private newest: Cursor | undefined;
  /** The newest handled cursor, until it is acknowledged. */
  private unacknowledged: Cursor | undefined;
  /** Delay between a handled message and its acknowledgement. Undefined if none is wanted, or before the relay has said so. */
  private delayMs: number | undefined;
  /** Number of messages handled since the last acknowledgement. */
  private waiting = 0;

  constructor(
    private readonly settings: Settings,
    /** @returns whether the connection accepted it. */
    private readonly send: (acknowledgement: Acknowledgement) => boolean,
  ) {
    this.timer = new Timer(settings.clock);
  }

  /** @param isLost Whether messages before the cursor were lost: they are not acknowledged before a later one is. */
  handled(cursor: Cursor, isLost: boolean): void {
    if (isLost) this.forget();
    else if (cursor !== this.newest) {
      this.unacknowledged = cursor;
      if (++this.waiting >= this.settings.ackEveryMessages) this.flush();
      else this.later();
    }
    this.newest = cursor;
  }

  /** Nothing is left to acknowledge. */
  private forget(): void {
    this.unacknowledged = undefined;
    this.waiting = 0;
    this.timer.clear();
  }

  /** A resume was answered: its cursor is acknowledged. */
  resumed(cursor: Cursor | undefined, ackSeconds: number | undefined): void {
    this.delayMs = this.settings.ackDelayMs ?? (ackSeconds && ackSeconds * 1_000);
    if (cursor === this.unacknowledged) this.forget();
    else this.later();
  }

  /** Acknowledges now. Without a connection, the next resume does. */
  flush(): void {
    if (this.unacknowledged && this.send({ action: "ack", cursor: this.unacknowledged })) this.forget();
  }

  /** Sends the last acknowledgement of this connection. */
  stop(): void {
    this.flush();
    this.delayMs = undefined;
    this.timer.clear();
  }

  private later(): void {
    if (this.unacknowledged && this.delayMs !== undefined && !this.timer.armed)
      this.timer.set(this.delayMs, () => this.flush());
  }
}
