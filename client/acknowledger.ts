import type { Acknowledgement, Cursor } from "../protocol";
import { Timer } from "./clock";
import type { Settings } from "./settings";

/** Acknowledges the handled messages to the relay: cumulatively, after a delay or a number of messages. */
export class Acknowledger {
  private readonly timer: Timer;
  private cursor: Cursor | undefined;
  /** Whether the newest cursor was not sent, or may not have arrived. */
  private isOpen = false;
  private isConnected = false;
  /** Number of messages handled since the last acknowledgement. */
  private waiting = 0;

  constructor(
    private readonly settings: Settings,
    /** @returns whether the connection accepted it. */
    private readonly send: (acknowledgement: Acknowledgement) => boolean,
  ) {
    this.timer = new Timer(settings.clock);
  }

  /** The last cursor of an earlier client, which may have ended before it was sent. */
  begin(cursor: Cursor): void {
    this.cursor = cursor;
  }

  handled(cursor: Cursor): void {
    this.cursor = cursor;
    this.isOpen = true;
    if (++this.waiting >= this.settings.ackEveryMessages) this.flush();
    else this.later();
  }

  /** The cursor is no longer valid. */
  forget(): void {
    this.cursor = undefined;
    this.isOpen = false;
    this.timer.clear();
  }

  /** An acknowledgement sent over the previous connection may not have arrived. Sending it again is harmless. */
  connected(): void {
    this.isConnected = true;
    this.doubt();
    this.later();
  }

  /** The last acknowledgement may not have been handled. */
  doubt(): void {
    this.isOpen = this.cursor !== undefined;
  }

  /** Sends an open acknowledgement after a delay. */
  later(): void {
    if (this.isOpen && this.isConnected && !this.timer.armed) {
      this.timer.set(this.settings.ackDelayMs, () => this.flush());
    }
  }

  /** Sends an open acknowledgement. Without a connection it stays open. */
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
