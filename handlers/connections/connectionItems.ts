import { createHash } from "node:crypto";
import type { SessionKey } from "../sessions/sessionKey";

/** Attributes of connection items and of blocks, besides those that they share with sessions. */
export const CONNECTION_ATTRIBUTES = {
  /** Sort key of the session for which the connection was opened. */
  sessionContext: "session_context",
  /** Partition key of the token expiry index; only if sessions end with their token. */
  expiryShard: "expiry_shard",
  /** Epoch seconds until which a user's handshakes are refused. */
  blockedUntil: "blocked_until",
} as const;

/** Identifies one connection of a user. */
export interface ConnectionKey {
  callerId: string;
  connectionId: string;
}

/** A connection that a user has opened. A session names only the newest one; a superseded one has only its own item. */
export interface UserConnection extends ConnectionKey {
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: number;
  /** Epoch seconds, as DynamoDB's TTL requires. */
  expirationDate: number;
  /** Sort key of the session for which it was opened. */
  sessionContext: string;
  /** Epoch seconds at which the token ends; only if sessions end with their token. */
  tokenExpiresAt?: number;
}

// A session's sort key begins with its context, which is not empty and has no #: neither of these can be one.
const CONNECTION_PREFIX = "#connection#";
const BLOCK_CONTEXT = "#block";

export function connectionItemKey({ callerId, connectionId }: ConnectionKey): SessionKey {
  return { callerId, context: `${CONNECTION_PREFIX}${connectionId}` };
}

export function blockItemKey(callerId: string): SessionKey {
  return { callerId, context: BLOCK_CONTEXT };
}

/** The connection that this item describes; undefined if the item is a session or a block. */
export function connectionIdOf(sortKey: string): string | undefined {
  return sortKey.startsWith(CONNECTION_PREFIX) ? sortKey.slice(CONNECTION_PREFIX.length) : undefined;
}

/**
 * A partition of an index takes 1,000 writes a second: as many as an account's 500 new connections and their deletions.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 */
export const EXPIRY_SHARDS = ["0", "1", "2", "3", "4", "5", "6", "7"] as const;

export function expiryShardOf(connectionId: string): string {
  const [firstByte = 0] = createHash("sha256").update(connectionId).digest();
  return String(firstByte % EXPIRY_SHARDS.length);
}
