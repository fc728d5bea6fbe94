import type { Acknowledgement, Cursor } from "../protocol";
import { Timer } from "./clock";
import type { Settings } from "./settings";

/** Tells the relay what was handled: cumulatively, a while or a number of messages at a time. */
export class Acknowledger {
  private readonly timer: Timer;
  private cursor: Cursor | undefined;
  /** Whether the newest one was not sent, or may not have arrived. */
  private isOpen = false;
  private isConnected = false;
  /** Handled since the last one was sent. */
  private waiting = 0;

  constructor(
    private readonly settings: Settings,
    /** Answers whether the connection took it. */
    private readonly send: (acknowledgement: Acknowledgement) => boolean,
  ) {
    this.timer = new Timer(settings.clock);
  }

  /** What the client before this one handled last: it may have ended before that was sent. */
  begin(cursor: Cursor): void {
    this.cursor = cursor;
  }

  handled(cursor: Cursor): void {
    this.cursor = cursor;
    this.isOpen = true;
    if (++this.waiting >= this.settings.ackEveryMessages) this.flush();
    else this.later();
  }

  /** The place in the sequence does not hold any more. */
  forget(): void {
    this.cursor = undefined;
    this.isOpen = false;
    this.timer.clear();
  }

  /** What was sent over the connection before may not have arrived. It may be sent as often as one likes. */
  connected(): void {
    this.isConnected = true;
    this.doubt();
    this.later();
  }

  /** What was sent last may not have been understood. */
  doubt(): void {
    this.isOpen = this.cursor !== undefined;
  }

  /** Sends what is open, after a while. */
  later(): void {
    if (this.isOpen && this.isConnected && !this.timer.armed) {
      this.timer.set(this.settings.ackDelayMs, () => this.flush());
    }
  }

  /** Sends what is open. Without a connection it stays so. */
  flush(): void {
    this.timer.clear();
    if (!this.isOpen || !this.cursor || !this.send({ action: "ack", cursor: this.cursor })) return;
    this.isOpen = false;
    this.waiting = 0;
  }

  disconnected(): void {
    this.isConnected = false;
    this.timer.clear();
  }
}
