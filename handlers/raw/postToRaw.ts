import type { Posted } from "../connections/postToConnection";
import type { Entry } from "../history/history";
import type { Session, SessionRow } from "../sessions/sessionItems";

/** Messages of a session that were just stored, for its raw connections. */
export interface RawPost {
  /** As it was read after the messages were stored. */
  row: SessionRow;
  /** Its live raw connections. */
  connections: readonly Session[];
  /** In the order of their numbers. */
  entries: readonly NewEntry[];
  /** The log's present epoch. */
  presentEpoch: string | undefined;
  /**
   * Awaited before the session's cursor moves past an entry that some connections have accepted and others have not: it is
   * retried for these.
   */
  onPartial: (entry: Entry, acceptedBy: readonly string[]) => Promise<void>;
  /**
   * By the numbers of these entries: the connections that have taken them, where `onPartial` was called by another invocation. The
   * queue may have delivered the same message twice.
   */
  readTakenBy: (entries: readonly Entry[]) => Promise<ReadonlyMap<number, ReadonlySet<string>>>;
  /** Whether to wait for another invocation as long as there is time: there is no later attempt. */
  isLast: boolean;
}

export interface NewEntry {
  entry: Entry;
  /** Connections that took it at an earlier attempt; undefined at the first. */
  takenBy: ReadonlySet<string> | undefined;
}

/** What became of each entry at one connection, in the entries' order. */
export type RawOutcomes = readonly (Exclude<Posted, { kind: "ended" }> | { kind: "ended"; reason: string })[];

/** Posts them, and what the raw clients have missed before them. The outcomes by connection. */
export type PostToRaw = (post: RawPost, signal: AbortSignal) => Promise<ReadonlyMap<string, RawOutcomes>>;
