import type { Cursor, Hello, Resume, Resumed } from "../protocol";
import { Timer } from "./clock";
import type { Inbox } from "./inbox";
import type { Settings } from "./settings";

/** Requests missing messages over one connection: when it opens, page by page, and when a number does not arrive. */
export class Resumer {
  private readonly timer: Timer;
  private isAwaiting = false;
  /** The last request: the epoch of its cursor, and the last number that had arrived in order. */
  private asked: { cursor: Cursor | undefined; seq: number } | undefined;
  /** The cursor that the next response confirms: of requests without one, it may answer the first. */
  confirmed: Cursor | undefined;
  hello: Hello | undefined;
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
    const { seq } = inbox;
    const { cursor } = request;
    this.stalls = this.asked?.seq === seq ? this.stalls + 1 : 0;
    this.asked = { cursor: cursor && { ...cursor, seq }, seq };
    if (!this.isAwaiting) this.confirmed = cursor;
    this.isAwaiting = true;
    this.hasMore = false;
    this.askAgainAfter(this.settings.resumeTimeoutMs);
    this.send(request);
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

  /** The relay failed to handle a request or an acknowledgement: a request does the work of both. */
  failed(): void {
    if (!this.asked) return;
    this.isAwaiting = true;
    this.askAgainAfter(this.settings.backoffMs(this.stalls));
  }

  /** The relay rejected a frame, perhaps the request: it would reject it again. */
  refused(): void {
    if (!this.isAwaiting) return;
    this.asked = undefined;
    this.stop();
  }

  /** A frame arrived, or an item was handled. */
  check(): void {
    const { inbox, timer } = this;
    if (this.isAwaiting || !this.asked) return;
    if (!inbox.missing || inbox.busy) return timer.clear();
    const isPageThrough = inbox.seq >= this.through;
    // Its cursor is the last handled message: before the page's last one is handled, the page would be the same.
    if (isPageThrough && this.hasMore) return inbox.idle ? this.ask() : timer.clear();
    if (timer.armed && this.seqAtTimer === inbox.seq) return;
    this.askAgainAfter(isPageThrough ? this.settings.gapWaitMs : this.settings.resumeTimeoutMs);
  }

  stop(): void {
    this.timer.clear();
  }

  private askAgainAfter(delayMs: number): void {
    this.seqAtTimer = this.inbox.seq;
    const isStalled = this.stalls > 0 && this.asked?.seq === this.seqAtTimer;
    const pauseMs = isStalled ? this.settings.backoffMs(this.stalls - 1) : 0;
    this.timer.set(delayMs + pauseMs, () => this.ask());
  }
}
