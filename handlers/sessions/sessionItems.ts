import type { Item } from "../tableClient";
import type { SessionKey } from "./sessionKey";

/** The session table's attributes. A session has all of them except the last two, which are optional. */
export const SESSION_ATTRIBUTES = {
  /** Partition key: `user#${code}`. */
  callerId: "caller_id",
  /** Sort key: `${context}#${contextId}`. */
  context: "context",
  connectionId: "connection_id",
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: "connected_at",
  /** Epoch seconds, as DynamoDB's TTL requires. */
  expirationDate: "expiration_date",
  /**
   * Epoch seconds; only if sessions end with their token. Separate from `expirationDate`, which deletes the row: the
   * connection would stay open and be unreachable.
   */
  tokenExpiresAt: "token_expires_at",
  /** Only if the client receives envelopes. */
  subprotocol: "subprotocol",
} as const;

const A = SESSION_ATTRIBUTES;

/** The one live connection of a user in a context. */
export interface Session extends SessionKey {
  connectionId: string;
  connectedAt: number;
  expirationDate: number;
  /** Epoch seconds at which the token ends; only if sessions end with their token. */
  tokenExpiresAt?: number;
  /** The subprotocol of its connection; undefined if messages arrive as they were published. */
  subprotocol?: string;
}

export function keyOf(key: SessionKey): Item {
  return { [A.callerId]: { S: key.callerId }, [A.context]: { S: key.context } };
}

export function itemOf(session: Session): Item {
  return {
    ...keyOf(session),
    [A.connectionId]: { S: session.connectionId },
    [A.connectedAt]: { N: String(session.connectedAt) },
    [A.expirationDate]: { N: String(session.expirationDate) },
    ...(session.tokenExpiresAt !== undefined && { [A.tokenExpiresAt]: { N: String(session.tokenExpiresAt) } }),
    ...(session.subprotocol !== undefined && { [A.subprotocol]: { S: session.subprotocol } }),
  };
}

/** A row that the relay did not write is not a session: it must not fail the rest of a batch. */
export function sessionOf(item: Item): Session | undefined {
  const [callerId, context, connectionId] = [item[A.callerId]?.S, item[A.context]?.S, item[A.connectionId]?.S];
  const [connectedAt, expirationDate] = [Number(item[A.connectedAt]?.N), Number(item[A.expirationDate]?.N)];
  if (!callerId || !context || !connectionId || Number.isNaN(connectedAt) || Number.isNaN(expirationDate)) return;
  const [tokenExpiresAt, subprotocol] = [item[A.tokenExpiresAt]?.N, item[A.subprotocol]?.S];
  return {
    callerId,
    context,
    connectionId,
    connectedAt,
    expirationDate,
    ...(tokenExpiresAt !== undefined && { tokenExpiresAt: Number(tokenExpiresAt) }),
    ...(subprotocol !== undefined && { subprotocol }),
  };
}
