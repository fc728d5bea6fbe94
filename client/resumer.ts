import type { Cursor, Hello, Resume, Resumed } from "../protocol";
import { Timer } from "./clock";
import type { Inbox } from "./inbox";
import type { Settings } from "./settings";

/** Requests missing messages over one connection: when it opens, page by page, and when a number does not arrive. */
export class Resumer {
  private readonly timer: Timer;
  private isAwaiting = false;
  private isRefused = false;
  private asked: { cursor: Cursor | undefined; seq: number } | undefined;
  private hello: Hello | undefined;
  /** The last number of the announced page. */
  through = 0;
  /** Whether another page follows. */
  private hasMore = false;
  /** Number of requests in a row without progress. */
  private stalls = 0;
  /** The inbox's number when the timer was set. */
  private seqAtTimer = 0;

  constructor(
    private readonly settings: Settings,
    private readonly inbox: Inbox,
    private readonly send: (resume: Resume) => void,
  ) {
    this.timer = new Timer(settings.clock);
  }

  ask(): void {
    const { inbox } = this;
    const request = inbox.request();
    this.stalls = this.asked?.seq === inbox.seq ? this.stalls + 1 : 0;
    this.asked = { cursor: request.cursor, seq: inbox.seq };
    this.isAwaiting = true;
    this.hasMore = false;
    this.askAgainAfter(this.settings.resumeTimeoutMs);
    this.send(request);
  }

  greeted(hello: Hello): void {
    this.hello = hello;
  }

  /** @returns whether it was a response to a request. */
  resumed(resumed: Resumed): boolean {
    if (!this.hello || !this.asked) return false;
    this.isAwaiting = false;
    this.timer.clear();
    this.through = resumed.through;
    // An empty page ends at a missing number that is about to be stored.
    this.hasMore = this.hello.newest > resumed.through && resumed.through >= resumed.first;
    this.inbox.resumed(this.hello, resumed, this.asked.cursor);
    return true;
  }

  /** The relay failed to handle a frame, perhaps the request. */
  failed(): void {
    if (this.isAwaiting || (this.inbox.missing && !this.isRefused))
      this.askAgainAfter(this.settings.backoffMs(this.stalls));
  }

  /** The relay rejected a frame, perhaps the request: it would reject it again. */
  refused(): void {
    this.isRefused ||= this.isAwaiting;
    if (this.isRefused) this.stop();
  }

  /** A frame arrived, or an item was handed over. */
  check(): void {
    const { inbox, timer } = this;
    if (this.isAwaiting || this.isRefused || !this.asked) return;
    if (!inbox.missing || inbox.busy) return timer.clear();
    const isPageThrough = inbox.seq >= this.through;
    if (isPageThrough && this.hasMore) return this.ask();
    if (timer.armed && this.seqAtTimer === inbox.seq) return;
    this.askAgainAfter(isPageThrough ? this.settings.gapWaitMs : this.settings.resumeTimeoutMs);
  }

  stop(): void {
    this.timer.clear();
  }

  private askAgainAfter(delayMs: number): void {
    this.seqAtTimer = this.inbox.seq;
    const pauseMs = this.stalls > 0 ? this.settings.backoffMs(this.stalls - 1) : 0;
    this.timer.set(delayMs + pauseMs, () => this.ask());
  }
}
