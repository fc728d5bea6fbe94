import type { Cursor, Hello, MessageEnvelope, Resume, Resumed } from "../protocol";
import type { Gap, Item } from "./messages";

/**
 * Puts messages, which arrive over any connection and in any order, into the order of their numbers, each once, and detects
 * missing ones. It knows neither time nor connections.
 */
export class Inbox {
  /** Items in order that have not been handed over yet. */
  ready: Item[] = [];
  /** Messages that arrived before their turn. */
  private readonly early = new Map<number, MessageEnvelope>();
  /** Whether the position in the sequence is known: from a cursor, or from the first response to a resume. */
  known = false;
  /** Undefined if the session never had a message. */
  private epoch: string | undefined;
  /** All messages up to this number are or were in `ready`. */
  seq = 0;
  /** The newest known number. */
  private newest: Cursor | undefined;
  /** The item that is being handled. */
  current: Item | undefined;
  /** The cursor of the last item that was handled or became part of a stream, or where the relay has set the start. */
  handled: Cursor | undefined;
  /** As `handled`, but before the beginning of each open stream: the whole stream can be requested again. */
  cursor: Cursor | undefined;
  /** Whether the numbers of `cursor` are given again: the history was set back, and the gap is not handled yet. */
  private isVoid = false;

  constructor(
    /** Limit of the messages that wait in order, and of those that arrived early; others are requested again later. */
    private readonly maxBuffered: number,
    /** A cursor is passed to `start`. */
    private readonly from: Resume["from"] | Cursor,
  ) {}

  /** Starts after the cursor; without one, where the relay sets the start. Drops items that were not handed over and can be requested again. */
  start(from?: Cursor): void {
    if (from) this.cursor = this.handled = from;
    const cursor = from ?? this.current?.cursor ?? this.handled;
    this.ready = this.ready.filter((item) => item.callback === "onMessage" && item.value.seq === undefined);
    this.early.clear();
    this.isVoid = false;
    this.known = !!cursor;
    // The epoch is empty if the session had no message yet: all its messages are new.
    this.epoch = cursor?.epoch || undefined;
    this.seq = cursor?.seq ?? 0;
    this.newest = this.epoch ? cursor : undefined;
  }

  get position(): Cursor | undefined {
    return this.known && this.epoch !== undefined && this.seq > 0 ? { epoch: this.epoch, seq: this.seq } : undefined;
  }

  /** Whether a message exists that has not arrived. */
  get missing(): boolean {
    return !!this.newest && (this.newest.epoch !== this.epoch || this.newest.seq > this.seq);
  }

  /** Whether enough items wait to be handed over that requests should pause. */
  get busy(): boolean {
    return this.ready.length > this.maxBuffered / 2;
  }

  /** Whether all items are handled. */
  get idle(): boolean {
    return !this.current && this.ready.length === 0;
  }

  /**
   * A request for the messages after the last handled one: its cursor acknowledges, and the page may end before the others are
   * handled. While a stream is open, the cursor waits, and `after` excludes what was handled since.
   */
  request(): Resume {
    const { epoch, handled, isVoid } = this;
    if (epoch !== undefined) {
      const cursor = this.cursor?.epoch === epoch && !isVoid ? this.cursor : { epoch, seq: 0 };
      const isWaiting = cursor === this.cursor && cursor !== handled;
      return { action: "resume", cursor, ...(isWaiting && { after: handled?.seq }) };
    }
    // The session was empty when it was requested: all its messages are new, even if another client has acknowledged them.
    const from = this.known ? "oldest" : (this.from as Resume["from"]);
    return { action: "resume", ...(from && { from }) };
  }

  /** A message without a number: it cannot be requested again. */
  acceptRaw(body: string): void {
    this.ready.push({ callback: "onMessage", value: { body } });
  }

  /** @param through The last number of the requested page: the relay limits its size, so the whole page is kept. */
  accept(message: MessageEnvelope, through: number): void {
    const { epoch, seq, first = seq } = message;
    if (this.known) this.epoch ??= epoch;
    const ours = this.known && epoch === this.epoch;
    if (ours && seq <= this.seq) return;
    if (this.newest?.epoch !== epoch || this.newest.seq < seq) this.newest = { epoch, seq };
    if (ours && first <= this.seq + 1) {
      if (this.ready.length >= this.maxBuffered && seq > through) return;
      this.push(message);
      this.follow();
    } else if (this.early.size < this.maxBuffered || seq <= through) {
      this.early.set(seq, message);
    }
  }

  /**
   * The response to a resume. It may be late: messages that have arrived since take precedence.
   *
   * @param asked The epoch of the request's cursor, and the last number that had arrived in order.
   */
  resumed(hello: Hello, { recovered, first, lost = "expired" }: Resumed, asked: Cursor | undefined): void {
    const { epoch } = hello;
    const after = this.position;
    const isAboutUs = asked !== undefined && asked.epoch === this.epoch;
    const restarted =
      !recovered &&
      isAboutUs &&
      // A second response to the same request finds the restart done.
      ((lost === "epoch" && epoch !== this.epoch) ||
        (lost === "ahead" && asked.seq > hello.newest && this.seq >= asked.seq));
    if (restarted) {
      this.release(Infinity);
      if (this.newest?.epoch === this.epoch) this.newest = undefined;
      this.isVoid = true;
      this.moveTo(epoch, first, lost, after);
    } else if (!this.known || (this.epoch === undefined && epoch !== undefined)) {
      // The session was empty when the client began, so it wants all: the response may begin after what others have acknowledged.
      const start = this.known ? hello.oldest : first;
      const isWhole = recovered && !(this.known && start > 1);
      this.moveTo(epoch, start, isWhole ? undefined : lost);
    } else if (!recovered && epoch === this.epoch) {
      // If it is recovered, it answers an earlier request without a cursor, and begins after what others have acknowledged.
      this.release(first, lost);
    }
    this.known = true;
    this.forgetOthers(hello);
    this.follow();
  }

  /** The next item to hand over. */
  take(): Item | undefined {
    return (this.current = this.ready.shift());
  }

  /**
   * The item that was taken is handled, or has become part of a stream.
   *
   * @param openFrom The first number of the open streams.
   */
  done({ callback, cursor }: Item, openFrom = Infinity): void {
    const isGap = callback === "onGap";
    this.current = undefined;
    const handled = (this.handled = cursor ?? this.handled);
    if (isGap) this.isVoid = false;
    if (!handled) return;
    const { epoch } = handled;
    const seq = openFrom - 1;
    if (handled.seq <= seq) this.cursor = handled;
    else if (this.cursor?.epoch !== epoch || this.cursor.seq < seq) this.cursor = { epoch, seq };
  }

  private push(message: MessageEnvelope): void {
    const { id, epoch, seq, first = seq, body } = message;
    this.seq = seq;
    const cursor = { epoch, seq };
    this.ready.push(
      typeof body === "string"
        ? { callback: "onMessage", cursor, first, value: { id, epoch, seq, body } }
        : { callback: "onExpired", cursor, value: { id, epoch, seq } },
    );
  }

  private follow(): void {
    const isNext = ({ epoch, seq, first = seq }: MessageEnvelope) => epoch === this.epoch && first <= this.seq + 1;
    for (let next; (next = [...this.early.values()].find(isNext));) {
      this.early.delete(next.seq);
      if (next.seq > this.seq) this.push(next);
    }
  }

  /** Gives up the missing messages before `first`; those that have arrived are still handed over. */
  private release(first: number, lost?: Gap["lost"]): void {
    const held = [...this.early.values()].filter(({ epoch, seq }) => epoch === this.epoch && seq < first);
    for (const message of held.sort((a, b) => a.seq - b.seq)) {
      this.skipTo(message.first ?? message.seq, lost);
      this.early.delete(message.seq);
      if (message.seq > this.seq) this.push(message);
    }
    if (first !== Infinity) this.skipTo(first, lost);
  }

  private skipTo(first: number, lost?: Gap["lost"]): void {
    if (first > this.seq + 1) this.moveTo(this.epoch, first, lost);
  }

  /** @param lost Why messages are missing before `first`, if any are. */
  private moveTo(epoch: string | undefined, first: number, lost?: Gap["lost"], after = this.position): void {
    this.epoch = epoch;
    this.seq = first - 1;
    const cursor = epoch ? { epoch, seq: first - 1 } : undefined;
    if (lost) this.ready.push({ callback: "onGap", cursor, value: { lost, after, first, epoch } });
    // So that a client that ends before the next message does not request acknowledged messages again.
    else if (this.idle && cursor) this.cursor = this.handled = cursor;
  }

  /** Drops messages of other epochs, and those with numbers up to `seq`. */
  private forgetOthers({ epoch, newest }: Hello): void {
    // The session was empty a moment ago, and now has its first message.
    if (epoch === undefined) this.epoch ??= this.newest?.epoch;
    for (const message of this.early.values()) {
      if (message.epoch !== this.epoch || message.seq <= this.seq) this.early.delete(message.seq);
    }
    const seen = this.newest?.epoch === this.epoch ? (this.newest?.seq ?? 0) : 0;
    const said = epoch === this.epoch ? newest : 0;
    this.newest = this.epoch ? { epoch: this.epoch, seq: Math.max(seen, said, this.seq) } : undefined;
  }
}
