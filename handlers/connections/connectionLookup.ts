import type { SessionKey } from "../sessions/sessionKey";
import { connectionItemKey } from "./connectionItems";

/** Which session a connection was opened for, where a frame carries nothing but the connection's id. */
export interface ConnectionLookup {
  connectionId: string;
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: number;
  /** Epoch seconds, as the table's expiry wants it. */
  expirationDate: number;
  session: SessionKey;
}

/** Attributes of lookups, beside those that they share with sessions. */
export const LOOKUP_ATTRIBUTES = {
  sessionCallerId: "session_caller_id",
  sessionContext: "session_context",
} as const;

/**
 * Keyed by the connection alone. No session has such a partition key, for theirs begin with `user#`; and the sort key is that
 * of a connection's item, so that whoever finds both by the index on the connection takes neither for a session.
 */
export function connectionLookupKey(connectionId: string): SessionKey {
  return connectionItemKey({ callerId: `connection#${connectionId}`, connectionId });
}
