import type { SessionCursor, Skipped } from "../../../handlers/history/history";
import { seqIn } from "../../../handlers/history/recovery";
import { skippedIn } from "../../../handlers/raw/readPage";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { sessionId, type SessionKey } from "../../../handlers/sessions/sessionKey";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import type { Cursor } from "../../../protocol";
import type { MemoryTable } from "../memoryTable";
import type { Connection } from "./gateway";
import type { Invocation } from "./invocation";
import type { Ledger, Published } from "./ledger";
import type { Simulation } from "./simulation";

/** As the relay: a raw connection that is not the only one gets what was stored so long before it was opened, and nothing older. */
const OLD_MS = 5_000;

/** Allows for clocks that differ. */
const TOLERANCE_MS = 8_000;

/** Longer than an invocation: if a connection has been in the row for so long, every invocation knows of it. */
const KNOWN_MS = 45_000;

/**
 * Checks what is posted to raw connections, which neither acknowledge nor ask for messages nor drop duplicates:
 *
 * - Each one gets messages of its session only, as they were published.
 * - It gets a message twice only if the invocation that posted it first has crashed, one of its calls has failed, or another raw
 *   connection did not take a message; or if it was retried for one of several connections, and is redelivered after that.
 * - Within an invocation, nothing is posted to a connection after a message that it did not take.
 * - While a protocol client or an older raw connection is open and accepts it, it gets nothing from before it connected.
 * - If the queue no longer has a message that was stored while it was connected and not half-open, it has accepted it, unless
 *   the message has expired, was dead-lettered, or has had all of its attempts.
 * - No message is dead-lettered that it has taken, as long as it is connected, unless the invocation that posted it had trouble.
 * - `accepted` never passes a message that no raw connection has taken, except expired ones, and those from before: these are recorded
 *   as skipped, until a raw connection has taken them or they are acknowledged or have expired.
 * - Acceptance moves `acknowledged` only while no protocol client is connected.
 */
export class RawRules {
  private readonly bodies = new Map<string, Published>();
  /** By connection: the invocation in which it did not take a message. */
  private readonly failures = new Map<string, { invocation: Invocation; message: Published }>();

  /** Invocations in which a raw connection did not take a message: for that, a session's cursor may stay where it was. */
  private readonly troubled = new WeakSet<Invocation>();

  /** By connection: the invocation that has closed it last. */
  private readonly closings = new Map<string, Invocation>();

  constructor(
    private readonly simulation: Simulation,
    private readonly ledger: Pick<Ledger, "violated" | "isAcknowledged" | "sequencesOf" | "wasEndangered">,
    private readonly table: MemoryTable,
    private readonly connections: ReadonlyMap<string, Connection>,
    /** Whether the messages are in a history, or only in the queue. */
    private readonly hasHistory: boolean,
  ) {}

  published(message: Published): void {
    this.bodies.set(message.body, message);
  }

  /** A raw connection is about to get it. */
  posted(connection: Connection, body: string, result: string, invocation: Invocation): void {
    const { ledger } = this;
    const message = this.bodies.get(body);
    if (message?.key.callerId !== `user#${connection.user}`) {
      throw ledger.violated(`${connection.id} is raw, and gets ${body.slice(0, 100)}`);
    }
    const failure = this.failures.get(connection.id);
    if (failure?.invocation === invocation && failure.message !== message) {
      ledger.violated(`${message.id} is posted to ${connection.id}, which did not take ${failure.message.id}`);
    }
    if (result !== "delivered") {
      this.failures.set(connection.id, { invocation, message });
      this.troubled.add(invocation);
      return;
    }
    const before = message.acceptedBy.get(connection.id);
    const isRepeated = before && !before.isTroubled && !this.troubled.has(before) && !message.isPartial;
    if (isRepeated && !this.isLackedByAnother(connection, message, before))
      ledger.violated(`${message.id} is posted to ${connection.id} again`);
    if (this.hasHistory && this.isOldFor(connection, message) && this.hasAnother(connection, message, invocation)) {
      ledger.violated(`${message.id} is old, and is posted to ${connection.id}, which is not the only connection`);
    }
    message.acceptedBy.set(connection.id, invocation);
    message.hasArrived ||= connection.passes;
  }

  /** Whether another raw connection did not take it in that invocation: if its time was up, the session's cursor did not pass it. */
  private isLackedByAnother({ id }: Connection, { key, acceptedBy }: Published, invocation: Invocation): boolean {
    return this.liveOf(key).some((each) => each.isRaw && each.id !== id && acceptedBy.get(each.id) !== invocation);
  }

  /** A raw connection is closed, for example because its token has ended: it takes no more messages. */
  closing({ id }: Connection, invocation: Invocation): void {
    this.closings.set(id, invocation);
    this.troubled.add(invocation);
  }

  /** The session's cursor `accepted` moves. */
  released(
    key: SessionKey,
    before: SessionCursor,
    { accepted, skipped, acknowledges }: { accepted: Cursor; skipped?: Skipped; acknowledges?: boolean },
  ): void {
    const { ledger, simulation } = this;
    const { epoch, seq } = accepted;
    if (before.accepted?.epoch === epoch && before.accepted.seq > seq) {
      ledger.violated(`accepted moves back from ${before.accepted.seq} to ${seq} in ${key.context}`);
    }
    const live = this.liveOf(key);
    const known = live.filter(({ openedAtMs }) => simulation.now - openedAtMs > KNOWN_MS);
    if (acknowledges && known.some(({ isRaw }) => !isRaw)) {
      ledger.violated(`accepted messages through ${seq} are acknowledged, and a protocol client is connected`);
    }
    if (ledger.wasEndangered(key)) return;
    const sequence = ledger.sequencesOf(key).find((each) => each.epoch === epoch);
    if (!sequence || seq >= sequence.first + sequence.messages.length) {
      throw ledger.violated(`${seq} of ${epoch} is accepted, and was never stored`);
    }
    const after = Math.max(seqIn(epoch, before.accepted), seqIn(epoch, before.acknowledged), sequence.first - 1);
    const owed = skippedIn(epoch, before);
    const from = Math.min(after + 1, owed?.from ?? Infinity);
    for (const message of sequence.messages.slice(from - sequence.first, seq - sequence.first + 1)) {
      const at = message.stored?.seq ?? 0;
      if (at <= after && (!owed || at > owed.through)) continue;
      if (message.acceptedBy.size > 0 || this.hasExpired(message) || ledger.isAcknowledged(message)) continue;
      const missing = live.find((each) => each.isRaw && each.openedAtMs < (message.stored?.atMs ?? 0));
      const isOwed = skipped?.epoch === epoch && at >= skipped.from && at <= skipped.through;
      if (!isOwed) ledger.violated(`accepted passes ${message.id}, which no raw connection has taken, and forgets it`);
      if (missing && at > after)
        ledger.violated(`accepted passes ${message.id}, which neither ${missing.id} nor another has taken`);
    }
  }

  /** The queue has deleted the last copy of a message. */
  deleted(message: Published): void {
    const { stored, isExhausted, letters, acceptedBy } = message;
    if (isExhausted || letters.length > 0 || this.hasExpired(message)) return;
    if (this.hasHistory && (!stored || this.ledger.wasEndangered(message.key))) return;
    const sinceMs = this.hasHistory ? (stored?.atMs ?? 0) : message.publishedAtMs;
    const lacking = this.liveOf(message.key).find(
      ({ id, isRaw, openedAtMs, passes, mayBeMute }) =>
        isRaw && openedAtMs < sinceMs && passes && !mayBeMute && !acceptedBy.has(id),
    );
    if (lacking) this.ledger.violated(`${message.id} is no longer in the queue, and ${lacking.id} has not taken it`);
  }

  /** Not if a connection has taken it that the relay still knows. */
  deadLettered({ key, id, acceptedBy }: Published, reason: string): void {
    const taking = this.liveOf(key).find(({ id: connectionId }) => {
      const invocation = acceptedBy.get(connectionId);
      return invocation && !invocation.isTroubled && !this.troubled.has(invocation);
    });
    if (taking) this.ledger.violated(`${id} is dead-lettered (${reason}), and ${taking.id} has taken it`);
  }

  /** The connections in the session's row that get messages, as far as they are open. */
  private liveOf(key: SessionKey): Connection[] {
    const row = this.table.sessionRows.get(sessionId(key));
    return (row ? liveConnections(row) : []).flatMap(({ connectionId }: Session) => {
      const connection = this.connections.get(connectionId);
      return connection?.state === "open" ? [connection] : [];
    });
  }

  private isOldFor({ connectedAtMs }: Connection, { stored }: Published): boolean {
    return (stored?.atMs ?? Infinity) < connectedAtMs - OLD_MS - TOLERANCE_MS;
  }

  /** Whether every invocation that is running knows that another connection, which has got what is old, is open. */
  private hasAnother(connection: Connection, { key, acceptedBy }: Published, invocation: Invocation): boolean {
    const isOlder = (each: Connection) => each.isRaw && each.connectedAtMs < connection.connectedAtMs;
    const older = [...this.connections.values()].filter((each) => each.user === connection.user && isOlder(each));
    const isRecent = ({ endedAtMs }: Connection) => this.simulation.now - endedAtMs < KNOWN_MS;
    // What an older one does not accept, the next one gets.
    const hasFailed = ({ id }: Connection) =>
      [this.failures.get(id)?.invocation, this.closings.get(id)].includes(invocation);
    const lacks = (each: Connection) => !acceptedBy.has(each.id) && (each.state === "open" || isRecent(each));
    if (older.some((each) => hasFailed(each) || lacks(each))) return false;
    const others = this.liveOf(key).filter((each) => each !== connection && (!each.isRaw || isOlder(each)));
    return others.some(({ openedAtMs }) => this.simulation.now - openedAtMs > KNOWN_MS);
  }

  private hasExpired({ expiresAtMs = Infinity, receipts, isDeleted }: Published): boolean {
    return receipts.has("expired") || isDeleted || expiresAtMs <= this.simulation.now + TOLERANCE_MS;
  }
}
