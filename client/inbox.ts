import type { Cursor, Hello, MessageEnvelope, Resume, Resumed } from "../protocol";
import type { Gap, Item } from "./messages";

/**
 * Puts what comes, over whichever connection and in whatever order, into the order of its numbers, each once; says what is
 * missing. It knows neither time nor connections.
 */
export class Inbox {
  /** In order, and not handed over yet. */
  private ready: Item[] = [];
  /** Came before their turn. */
  private readonly early = new Map<number, MessageEnvelope>();
  /** Whether the place in the sequence is known: from a cursor, or since the first answer to a resume. */
  private known = false;
  /** Undefined where the session never had a message. */
  private epoch: string | undefined;
  /** Up to here everything is in `ready`, or was. */
  seq = 0;
  /** The newest number that is known to exist. */
  private newest: Cursor | undefined;
  /** What was handed over last. */
  private handedOver: Cursor | undefined;

  constructor(
    /** Of messages that wait in order, and of those that came early; what is beyond is asked for again later. */
    private readonly maxBuffered: number,
    private readonly from: Resume["from"],
  ) {}

  /** Begins after the cursor; without one, where the relay says. What has not been handed over is dropped, if it can be had again. */
  start(cursor: Cursor | undefined = this.handedOver): void {
    this.ready = this.ready.filter((item) => item.kind === "message" && item.value.seq === undefined);
    this.early.clear();
    this.handedOver = cursor;
    this.known = cursor !== undefined;
    this.epoch = cursor?.epoch;
    this.seq = cursor?.seq ?? 0;
    this.newest = cursor;
  }

  get position(): Cursor | undefined {
    return this.known && this.epoch !== undefined && this.seq > 0 ? { epoch: this.epoch, seq: this.seq } : undefined;
  }

  /** Whether a message exists that has not come. */
  get missing(): boolean {
    return this.newest !== undefined && (this.newest.epoch !== this.epoch || this.newest.seq > this.seq);
  }

  /** Whether so much waits to be handed over that nothing should be asked for. */
  get busy(): boolean {
    return this.ready.length > this.maxBuffered / 2;
  }

  request(): Resume {
    // A session that was empty when it was asked for: all that it has now is new, whoever has acknowledged it.
    if (this.known && this.epoch === undefined) return { action: "resume", from: "oldest" };
    if (this.epoch !== undefined) return { action: "resume", cursor: { epoch: this.epoch, seq: this.seq } };
    return { action: "resume", ...(this.from && { from: this.from }) };
  }

  /** A message without a number: nobody could ask for it again. */
  acceptRaw(body: string): void {
    this.ready.push({ kind: "message", value: { body } });
  }

  /** @param through The last number of the page that was asked for: the relay bounds it, and so it is kept whatever waits. */
  accept(message: MessageEnvelope, through: number): void {
    const { epoch, seq } = message;
    if (this.known) this.epoch ??= epoch;
    const ours = this.known && epoch === this.epoch;
    if (ours && seq <= this.seq) return;
    if (this.newest?.epoch !== epoch || this.newest.seq < seq) this.newest = { epoch, seq };
    if (ours && seq === this.seq + 1) {
      if (this.ready.length >= this.maxBuffered && seq > through) return;
      this.push(message);
      this.follow();
    } else if (this.early.size < this.maxBuffered || seq <= through) {
      this.early.set(seq, message);
    }
  }

  /**
   * The answer to a resume. It may be late: what has come since counts.
   *
   * @param asked The cursor that was asked for.
   */
  resumed(hello: Hello, { recovered, first, lost = "expired" }: Resumed, asked: Cursor | undefined): void {
    const { epoch } = hello;
    const after = this.position;
    const isAboutUs = asked !== undefined && asked.epoch === this.epoch;
    const restarted =
      !recovered &&
      isAboutUs &&
      // A second answer to the same question finds the restart done.
      ((lost === "epoch" && epoch !== this.epoch) ||
        (lost === "ahead" && asked.seq > hello.newest && this.seq >= asked.seq));
    if (restarted) {
      this.release(Infinity);
      if (this.newest?.epoch === this.epoch) this.newest = undefined;
      this.moveTo(epoch, first, { lost, after, first, epoch });
    } else if (!this.known || (this.epoch === undefined && epoch !== undefined)) {
      // Where nothing was seen of a session that was empty, the relay does not know what was missed.
      const isWhole = recovered && !(this.known && first > 1);
      this.moveTo(epoch, first, isWhole ? undefined : { lost, after, first, epoch });
    } else if (epoch === this.epoch && first > this.seq + 1) {
      this.release(first, lost);
    }
    this.known = true;
    this.forgetOthers(hello);
    this.follow();
  }

  /** The next one to hand over. */
  take(): Item | undefined {
    const item = this.ready.shift();
    if (item?.cursor) this.handedOver = item.cursor;
    return item;
  }

  private push(message: MessageEnvelope): void {
    const { id, epoch, seq, body } = message;
    this.seq = seq;
    const cursor = { epoch, seq };
    this.ready.push(
      typeof body === "string"
        ? { kind: "message", cursor, value: { id, epoch, seq, body } }
        : { kind: "expired", cursor, value: { id, epoch, seq } },
    );
  }

  private follow(): void {
    for (let next; (next = this.early.get(this.seq + 1)) && next.epoch === this.epoch; this.push(next)) {
      this.early.delete(next.seq);
    }
  }

  /** Gives up what is missing before `first`; what is here of it already is still handed over. */
  private release(first: number, lost?: Gap["lost"]): void {
    const held = [...this.early.values()].filter(({ epoch, seq }) => epoch === this.epoch && seq < first);
    for (const message of held.sort((a, b) => a.seq - b.seq)) {
      this.skipTo(message.seq, lost);
      this.early.delete(message.seq);
      if (message.seq > this.seq) this.push(message);
    }
    if (first !== Infinity) this.skipTo(first, lost);
  }

  private skipTo(first: number, lost?: Gap["lost"]): void {
    if (first <= this.seq + 1) return;
    this.moveTo(this.epoch, first, lost && { lost, after: this.position, first, epoch: this.epoch });
  }

  private moveTo(epoch: string | undefined, first: number, gap: Gap | undefined): void {
    this.epoch = epoch;
    this.seq = first - 1;
    const cursor = epoch !== undefined && first > 1 ? { epoch, seq: first - 1 } : undefined;
    if (gap) this.ready.push({ kind: "gap", cursor, value: gap });
    // So that a client which ends before the next message does not ask for what is acknowledged again.
    else if (this.ready.length === 0) this.handedOver = cursor ?? this.handedOver;
  }

  /** Of other epochs, and of numbers that were passed. */
  private forgetOthers({ epoch, newest }: Hello): void {
    // The session was empty a moment ago, and has its first message now.
    if (epoch === undefined) this.epoch ??= this.newest?.epoch;
    for (const message of this.early.values()) {
      if (message.epoch !== this.epoch || message.seq <= this.seq) this.early.delete(message.seq);
    }
    const seen = this.newest?.epoch === this.epoch ? (this.newest?.seq ?? 0) : 0;
    const said = epoch === this.epoch ? newest : 0;
    this.newest = this.epoch === undefined ? undefined : { epoch: this.epoch, seq: Math.max(seen, said, this.seq) };
  }
}
