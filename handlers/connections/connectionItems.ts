import { createHash } from "node:crypto";
import type { SessionKey } from "../sessions/sessionKey";

/** Attributes of lookups, besides those that they share with sessions. */
export const CONNECTION_ATTRIBUTES = {
  /** Partition key of the session for which the connection was opened. */
  sessionCallerId: "session_caller_id",
  /** Its sort key. */
  sessionContext: "session_context",
  /** Partition key of the token expiry index; only if sessions end with their token. */
  expiryShard: "expiry_shard",
} as const;

/** A connection that a user has opened, a live one of its session or a superseded one. */
export interface UserConnection {
  callerId: string;
  connectionId: string;
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: number;
  /** Epoch seconds at which it expires. */
  expirationDate: number;
  /** Sort key of the session for which it was opened. */
  context: string;
  /** Epoch seconds at which the token ends; only if sessions end with their token. */
  tokenExpiresAt?: number;
  /** True if another connection has taken its place: no messages are sent to it. */
  superseded?: true;
}

// A session's sort key begins with its context, which is not empty and has no #: it is never this one.
const LOOKUP_CONTEXT = "#connection";

const LOOKUP_PREFIX = "connection#";

/** Keyed by the connection alone. A session's partition key begins with `user#`, so it never equals this one. */
export function lookupItemKey(connectionId: string): SessionKey {
  return { callerId: `${LOOKUP_PREFIX}${connectionId}`, context: LOOKUP_CONTEXT };
}

/** The connection of a lookup's partition key. */
export function connectionIdOf(callerId: string): string | undefined {
  return callerId.startsWith(LOOKUP_PREFIX) ? callerId.slice(LOOKUP_PREFIX.length) : undefined;
}

/**
 * The partition keys of the index by token expiry, and of the history table's index by due time. A partition takes 1,000 writes
 * a second: as many as an account's 500 new connections and their deletions.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 */
export const INDEX_SHARDS = ["0", "1", "2", "3", "4", "5", "6", "7"] as const;

export function expiryShardOf(connectionId: string): string {
  const [firstByte = 0] = createHash("sha256").update(connectionId).digest();
  return String(firstByte % INDEX_SHARDS.length);
}
