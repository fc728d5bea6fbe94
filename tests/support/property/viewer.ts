import type { Gap, RelayMessage } from "../../../client";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { Cursor } from "../../../protocol";
import type { Ledger, Published, View } from "./ledger";

/** A message, or the number of one that has expired. */
export interface Handled {
  kind: "message" | "expired";
  value: RelayMessage;
}

/** A protocol client that keeps its cursor: after that, it sees every message in order, and none twice. */
export class Viewer implements View {
  /** As the client stores it, in one transaction with the messages it has shown. */
  cursor: Cursor | undefined;
  /** The position after which it sees everything; undefined as long as it has seen nothing. */
  private start: Cursor | undefined;
  private readonly met = new Set<Published>();
  private readonly missing = new Set<Published>();

  constructor(
    private readonly key: SessionKey,
    readonly name: string,
    private readonly ledger: Ledger,
  ) {}

  hasMet(message: Published): boolean {
    return this.met.has(message);
  }

  handle(kind: Handled["kind"], message: Published, cursor: Cursor): void {
    if (this.met.has(message)) this.ledger.violated(`${message.id} is shown twice by ${this.name}`);
    this.met.add(message);
    if (kind === "message") message.isShown = true;
    else message.isToldExpired = true;
    if (!this.start) this.begin({ epoch: cursor.epoch, seq: cursor.seq - 1 });
    else if (!this.cursor) this.beginAnew(cursor);
    this.cursor = cursor;
  }

  gap(gap: Gap, next: Cursor | undefined): void {
    this.start ??= gap.after ?? { epoch: this.ledger.sequencesOf(this.key)[0]?.epoch ?? "", seq: 0 };
    this.cursor = next;
  }

  misses(message: Published): void {
    this.missing.add(message);
  }

  /** The messages after its first position that it has not seen, and was not told of. */
  lacking(): Published[] {
    const sequences = this.ledger.sequencesOf(this.key);
    const from = this.start ? sequences.findIndex(({ epoch }) => epoch === this.start?.epoch) : 0;
    return sequences.slice(Math.max(from, 0)).flatMap(({ first, messages }, index) => {
      const after = index === 0 && this.start ? this.start.seq - first + 1 : 0;
      return messages.slice(after).filter((message) => !this.isSettled(message));
    });
  }

  private isSettled(message: Published): boolean {
    if (this.met.has(message) || this.missing.has(message) || message.isLost) return true;
    // It has no body to show, and the client learns its number with the next message.
    if (message.expiresAtMs !== undefined && message.receipts.has("expired")) return true;
    // Without a cursor it starts after what is acknowledged or reported.
    return this.cursor === undefined && this.isDone(message);
  }

  /** It has had no cursor: what comes before its first message must be acknowledged or reported. */
  private begin(start: Cursor): void {
    this.start = start;
    if (this.ledger.wasEndangered(this.key)) return;
    const sequence = this.ledger.sequencesOf(this.key).find(({ epoch }) => epoch === start.epoch);
    for (const message of sequence?.messages.slice(0, start.seq - sequence.first + 1) ?? []) {
      if (this.isDone(message)) continue;
      this.ledger.violated(`${this.name} begins after ${message.id}, which is neither acknowledged nor reported`);
    }
  }

  /** A gap has left it without a cursor, since there was no log: what another client has acknowledged since then, it does not get. */
  private beginAnew({ epoch, seq }: Cursor): void {
    const sequence = this.ledger.sequencesOf(this.key).find((each) => each.epoch === epoch);
    for (const message of sequence?.messages.slice(0, seq - sequence.first) ?? []) {
      if (this.isDone(message)) this.missing.add(message);
    }
  }

  private isDone(message: Published): boolean {
    return this.ledger.isAcknowledged(message) || message.receipts.has("expired");
  }
}
