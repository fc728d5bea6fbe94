import { EventEmitter, once } from "node:events";
import { WebSocket } from "ws";

/** A frame, as the page describes it; which members it has, its `type` says. */
interface Frame {
  type?: string;
  message?: string;
  code?: string;
  epoch?: string;
  seq: number;
  oldest: number;
  newest: number;
  recovered: boolean;
  lost?: string;
  first?: number;
  through: number;
  id: string;
  body?: string;
}

/** One connection, and the `resume` that is under way over it. */
interface Link {
  socket: WebSocket;
  isClosed: boolean;
  isSuperseded: boolean;
  /** Whether an attempt to replace it has failed. */
  isOvertaken: boolean;
  hasResumed: boolean;
  isResuming: boolean;
  hello?: Frame;
  /** Of a message that came while a resume was under way, and is not of the cursor's. */
  otherEpoch?: string;
  through: number;
  timer?: NodeJS.Timeout;
}

/**
 * A client of websocket-relay.v1, written from docs/protocol.md and nothing else: it imports nothing of this repository. What a
 * test cannot do with it, the page does not say. `R` and a number is the rule that a line follows.
 */
export class LiteralClient {
  /** Without an epoch: the session had no message yet. Undefined: nothing is known. */
  cursor: { epoch?: string; seq: number } | undefined;
  /** What the user sees: bodies, and what is told about them. */
  readonly shown: string[] = [];
  readonly changed = new EventEmitter();
  isSuperseded = false;
  resumes = 0;
  notices = 0;
  private readonly early = new Map<number, Frame>();
  private current: Link | undefined;
  private replacement: Link | undefined;
  private failures = 0;
  private isEnded = false;

  constructor(
    private readonly url: string,
    private readonly token: () => Promise<string>,
    cursor?: { epoch: string; seq: number },
  ) {
    this.cursor = cursor;
  }

  /** R8: also while a connection is open, which is then replaced. */
  async connect(): Promise<void> {
    const headers = { authorization: `Bearer ${await this.token()}` };
    if (this.isEnded) return;
    const socket = new WebSocket(this.url, ["websocket-relay.v1"], { headers });
    const link: Link = {
      socket,
      isClosed: false,
      isSuperseded: false,
      isOvertaken: false,
      hasResumed: false,
      isResuming: false,
      through: 0,
    };
    if (this.current) this.replacement = link;
    else this.current = link;
    socket.on("open", () => this.resume(link)); // R1
    socket.on("error", () => undefined);
    socket.on("close", () => this.lost(link));
    socket.on("message", (data: Buffer) => {
      for (const frame of [JSON.parse(data.toString()) as Frame | Frame[]].flat()) this.received(link, frame);
      this.changed.emit("change");
    });
  }

  /** R6 */
  acknowledge(): void {
    this.send(this.current, { action: "ack", cursor: this.cursor });
  }

  /** Resolves when `matches` does. */
  async until(matches: () => boolean): Promise<void> {
    while (!matches()) await once(this.changed, "change");
  }

  close(): void {
    this.isEnded = true;
    for (const link of [this.current, this.replacement]) if (link) this.end(link);
  }

  private send(link: Link | undefined, frame: object): void {
    if (link?.socket.readyState === WebSocket.OPEN) link.socket.send(JSON.stringify(frame));
  }

  private resume(link: Link): void {
    const { cursor } = this;
    link.isResuming = true;
    link.otherEpoch = undefined;
    this.resumes += 1;
    // R2: of a session that was empty, all is new.
    const place = cursor && (cursor.epoch === undefined ? { from: "oldest" } : { cursor });
    this.send(link, { action: "resume", ...place });
    this.resumeAfter(link, 10_000);
  }

  private resumeAfter(link: Link, ms: number): void {
    clearTimeout(link.timer);
    link.timer = setTimeout(() => !link.isClosed && this.resume(link), ms);
  }

  private received(link: Link, frame: Frame): void {
    if (link.isClosed) return; // R9
    if (frame.type === "hello") link.hello = frame;
    else if (frame.type === "resumed") this.resumed(link, frame);
    else if (frame.type === "message") this.message(link, frame);
    else if (frame.type === "superseded") this.superseded(link);
    else if (frame.type === "error" && frame.code === "no-session") this.lost(link);
    else if (frame.type === "error" && frame.code === "unavailable") this.resumeAfter(link, 1_000);
    this.askForMissing(link);
  }

  /** R2 */
  private resumed(link: Link, { recovered, lost = "", first = 1, through }: Frame): void {
    const epoch = link.hello?.epoch;
    const wasEmpty = this.cursor !== undefined && this.cursor.epoch === undefined;
    if (!recovered || (wasEmpty && epoch !== undefined && first > 1)) this.shown.push(`missing: ${lost}`);
    const stays = this.cursor?.epoch === epoch && (this.cursor?.seq ?? 0) >= first && lost !== "ahead";
    if (!stays) this.cursor = { ...(epoch !== undefined && { epoch }), seq: first - 1 };
    link.isResuming = false;
    link.hasResumed = true;
    link.through = through;
    clearTimeout(link.timer);
    link.timer = undefined;
    for (const message of [...this.early.values()]) {
      this.early.delete(message.seq);
      this.message(link, message);
    }
    if (link.otherEpoch !== undefined && link.otherEpoch !== this.cursor?.epoch) this.resume(link);
    // R8
    if (link === this.replacement) {
      const old = this.current;
      this.current = link;
      this.replacement = undefined;
      if (old) this.end(old);
    }
  }

  /** R3 */
  private message(link: Link, message: Frame): void {
    const { cursor } = this;
    // R2: the epoch of a session that was empty is that of its first message.
    if (cursor && cursor.epoch === undefined) cursor.epoch = message.epoch;
    if (!cursor) return void this.early.set(message.seq, message);
    if (message.epoch !== cursor.epoch) {
      if (link.isResuming) link.otherEpoch = message.epoch;
      else this.resume(link);
      return;
    }
    if (message.seq <= cursor.seq) return;
    this.early.set(message.seq, message);
    for (let next; (next = this.covering(cursor.seq + 1));) {
      cursor.seq = next.seq;
      this.early.delete(next.seq);
      this.shown.push(next.body ?? "expired");
    }
  }

  /** R3: an envelope with `first` is all the numbers up to its own. */
  private covering(seq: number): Frame | undefined {
    return [...this.early.values()].find((each) => (each.first ?? each.seq) <= seq && each.seq >= seq);
  }

  /** R4 */
  private askForMissing(link: Link): void {
    if (link.isClosed || link.isResuming || !this.cursor || !link.hasResumed) return;
    const { seq } = this.cursor;
    const newest = link.hello?.newest ?? 0;
    if (seq < link.through) return this.resumeAfter(link, 10_000);
    if (newest > seq) return this.resume(link);
    if (this.early.size === 0) clearTimeout(link.timer);
    else this.resumeAfter(link, 250);
  }

  /** R8 and R9 */
  private superseded(link: Link): void {
    link.isSuperseded = true;
    this.notices += 1;
    if (link === this.current && this.replacement) return;
    if (link.isOvertaken) return this.lost(link);
    this.isSuperseded = true;
    this.close();
  }

  /** R8: the connection has failed, or is of no use. */
  private lost(link: Link): void {
    if (link.isClosed) return;
    this.end(link);
    if (link === this.replacement) {
      this.replacement = undefined;
      if (this.current?.isSuperseded) this.end(this.current);
      else if (this.current) this.current.isOvertaken = true;
    }
    if (link === this.current || this.current?.isClosed) {
      this.current = this.replacement;
      this.replacement = undefined;
    }
    if (this.current && !this.current.isSuperseded && link !== this.current) return;
    const bound = Math.min(60_000, 1_000 * 2 ** this.failures++);
    if (!this.current) setTimeout(() => void this.connect(), Math.random() * bound);
  }

  private end(link: Link): void {
    link.isClosed = true;
    clearTimeout(link.timer);
    link.socket.close(1000);
    this.changed.emit("change");
  }
}
