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
  private over: { kind: "ended" | "failed"; reason: string } | undefined;

  constructor(
    readonly connection: Session,
    /** Whether it gets what was stored before it connected, unless a client has acknowledged that. */
    private readonly getsOld: boolean,
  ) {}

  /** When the connection began, in epoch milliseconds, with room for clocks that differ. */
  get sinceMs(): number {
    return this.connection.connectedAt - CLOCK_DIFFERENCE_MS;
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

  /**
   * Posts the messages that it does not have yet, in order. Never rejects.
   *
   * @param acknowledged The last number that a client has acknowledged.
   */
  async post(
    entries: readonly NewEntry[],
    acknowledged: number,
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
      if (this.over || isTimeUp()) return;
      const isOld = entry.storedAtMs < this.sinceMs && !(this.getsOld && entry.seq > acknowledged);
      const outcome = await this.postOne(entry, isOld, dependencies, signal);
      this.outcomes.set(entry.seq, outcome);
      if (outcome.kind === "failed" || outcome.kind === "ended") {
        this.over = { kind: outcome.kind, reason: outcome.reason };
      }
    }
  }

  private async postOne(
    entry: Entry,
    isOld: boolean,
    dependencies: RawLineDependencies,
    signal: AbortSignal,
  ): Promise<RawOutcome> {
    const { now, retentionMs, log } = dependencies;
    const { seq, messageId, body = "" } = entry;
    const isLate = () => !isAvailable(entry, retentionMs, now());
    if (isLate()) return { kind: "late", reason: REASONS.expired };
    if (isOld) return { kind: "skipped" };
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
 * A line for each of the connections. Nothing old arrives while another connection is open: a client that speaks the protocol asks
 * for it itself, and a raw client has got it. So only the oldest connection gets it, if all are raw.
 */
export function rawLinesOf(row: SessionRow, connections: readonly Session[]): RawLine[] {
  return connections.map((connection) => {
    const isFirst = othersBefore(connection, liveConnections(row)).length === 0;
    return new RawLine(connection, isFirst);
  });
}

/** The other connections that have got, or get, what was stored before this one: those with the protocol, and older raw ones. */
export function othersBefore({ connectionId, connectedAt }: Session, live: readonly Session[]): Session[] {
  return live.filter(
    (each) => each.connectionId !== connectionId && (each.subprotocol !== undefined || each.connectedAt < connectedAt),
  );
}
