import { type PostToConnectionDependencies, postToConnection } from "../connections/postToConnection";
import type { Entry } from "../history/history";
import { isAvailable } from "../history/retention";
import { errorFields } from "../log";
import { REASONS } from "../messages/reasons";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import type { NewEntry, RawOutcomes } from "./postToRaw";

export interface RawLineDependencies extends Omit<PostToConnectionDependencies, "subprotocols"> {
  /** How long messages are delivered after they were stored. */
  retentionMs: number;
}

/** The outcome of one message at one connection; `skipped` if it is from before the connection. */
export type RawOutcome = RawOutcomes[number] | { kind: "skipped" };

/** Between the gateway's clock, which sets when a connection began, and that of the function which stores a message. */
const CLOCK_DIFFERENCE_MS = 5_000;

/** What one raw connection gets in one invocation: messages one after the other, until one is not accepted. */
export class RawLine {
  /** By the messages' numbers. */
  private readonly outcomes = new Map<number, RawOutcome>();
  /** The last number that a client has acknowledged. */
  acknowledged = 0;
  private over: { kind: "ended" | "failed"; reason: string } | undefined;

  constructor(
    readonly connection: Session,
    /** Whether it gets what was stored before it began, unless a client has acknowledged that. */
    private readonly getsOld: boolean,
    /** The lines of the session's older raw connections. */
    private readonly older: readonly RawLine[],
  ) {}

  /** When the connection began, in epoch milliseconds, with room for clocks that differ. */
  get sinceMs(): number {
    return this.connection.connectedAt - CLOCK_DIFFERENCE_MS;
  }

  /** Whether the message was stored since the connection began, or the connection has to get everything. */
  isFor({ storedAtMs, seq }: Pick<Entry, "storedAtMs" | "seq">): boolean {
    return storedAtMs >= this.sinceMs || (this.getsOld && seq > this.acknowledged);
  }

  /** Whether it gets no more messages in this invocation. */
  get isOver(): boolean {
    return this.over !== undefined;
  }

  get hasEnded(): boolean {
    return this.over?.kind === "ended";
  }

  /** Why the connection may have missed messages, though it may be open. */
  get failure(): string | undefined {
    return this.over?.kind === "failed" ? this.over.reason : undefined;
  }

  /** How many messages it has. */
  get acceptedCount(): number {
    return [...this.outcomes.values()].filter(({ kind }) => kind === "accepted").length;
  }

  /** Undefined if the message was not posted, since the line was over or there was no time. */
  outcomeOf(seq: number): RawOutcome | undefined {
    return this.outcomes.get(seq);
  }

  /** Another invocation has posted it. */
  take(seq: number): void {
    if (!this.outcomes.has(seq)) this.outcomes.set(seq, { kind: "accepted" });
  }

  /** The connection is no longer one of the session's. */
  end(reason: string): void {
    this.over ??= { kind: "ended", reason };
  }

  /** The outcome for `deliver`. `cause`: why messages were not reached. */
  outcomeFor(seq: number, cause: string): RawOutcomes[number] {
    const outcome = this.outcomes.get(seq);
    if (outcome?.kind === "skipped") return { kind: "ended", reason: REASONS.noSession };
    if (outcome) return outcome;
    if (!this.over) return { kind: "failed", reason: cause };
    const { kind, reason } = this.over;
    return kind === "ended" ? { kind, reason } : { kind, reason: `${REASONS.heldBack}: ${reason}` };
  }

  /** Posts the messages that it does not have yet, in order; of old ones, after the older lines have. Never rejects. */
  async post(
    entries: readonly NewEntry[],
    dependencies: RawLineDependencies,
    isTimeUp: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { entry, takenBy } of entries) {
      if (this.outcomes.has(entry.seq)) continue;
      if (takenBy?.has(this.connection.connectionId)) {
        this.take(entry.seq);
        continue;
      }
      if (this.skips(entry)) {
        this.outcomes.set(entry.seq, { kind: "skipped" });
        continue;
      }
      if (this.over || isTimeUp()) continue;
      const outcome = await this.postOne(entry, dependencies, signal);
      this.outcomes.set(entry.seq, outcome);
      if (outcome.kind === "failed" || outcome.kind === "ended") {
        this.over = { kind: outcome.kind, reason: outcome.reason };
      }
    }
  }

  /** If the older ones cannot get it, the next one does: else it would hold up the session's cursor, and later ones would be repeated. */
  private skips(entry: Entry): boolean {
    if (this.isFor(entry)) return false;
    const entitled = this.older.filter((line) => line.isFor(entry));
    const misses = (line: RawLine) => line.isOver && line.outcomeOf(entry.seq)?.kind !== "accepted";
    return entitled.length === 0 || !entitled.every(misses);
  }

  private async postOne(entry: Entry, dependencies: RawLineDependencies, signal: AbortSignal): Promise<RawOutcome> {
    const { now, retentionMs, log } = dependencies;
    const { seq, messageId, body = "" } = entry;
    const isLate = () => !isAvailable(entry, retentionMs, now());
    if (isLate()) return { kind: "late", reason: REASONS.expired };
    const fields = { messageId, seq };
    try {
      const post = { text: body, isLate, fields };
      return await postToConnection(post, this.connection, { ...dependencies, subprotocols: [undefined] }, signal);
    } catch (error) {
      log.error("message not handled", { ...fields, ...errorFields(error) });
      return { kind: "failed", reason: REASONS.internalError };
    }
  }
}

/**
 * A line for each of the connections, the oldest first. Nothing old arrives while another connection is open: a client that speaks
 * the protocol asks for it itself, and a raw client has got it. So only the oldest connection gets it, if all are raw.
 */
export function rawLinesOf(row: SessionRow, connections: readonly Session[]): RawLine[] {
  const lines: RawLine[] = [];
  for (const connection of connections.toSorted((a, b) => a.connectedAt - b.connectedAt)) {
    const isFirst = othersBefore(connection, liveConnections(row)).length === 0;
    lines.push(new RawLine(connection, isFirst, [...lines]));
  }
  return lines;
}

/** The other connections that have got, or get, what was stored before this one: those with the protocol, and older raw ones. */
export function othersBefore({ connectionId, connectedAt }: Session, live: readonly Session[]): Session[] {
  return live.filter(
    (each) => each.connectionId !== connectionId && (each.subprotocol !== undefined || each.connectedAt < connectedAt),
  );
}
