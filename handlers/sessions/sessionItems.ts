import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "../tableClient";
import type { SessionKey } from "./sessionKey";

/** The attributes of a session's row. A session has the first five of them. */
export const SESSION_ATTRIBUTES = {
  /** Partition key: `user#${code}`. */
  callerId: "caller_id",
  /** Sort key: `${context}#${contextId}`. */
  context: "context",
  /** The newest live connection. Absent if only superseded ones remain. */
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
  /** All connections, by their ids. Absent in rows of 0.1.0. */
  connections: "connections",
  /** Of a connection: the id of the one that has taken its place, if one has. */
  supersededBy: "superseded_by",
  /** Changes with every write, so that a writer notices the writes of others. Absent in rows of 0.1.0. */
  revision: "revision",
} as const;

const A = SESSION_ATTRIBUTES;

/** One connection in a session's row. */
export interface SessionConnection {
  connectionId: string;
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: number;
  /** Epoch seconds at which it expires. */
  expirationDate: number;
  /** Epoch seconds at which the token ends; only if sessions end with their token. */
  tokenExpiresAt?: number;
  /** The subprotocol of the connection; undefined if messages arrive as they were published. */
  subprotocol?: string;
  /** The id of the connection that has taken its place, if one has: it may still be open, but no messages are sent to it. */
  supersededBy?: string;
}

/** A connection, with the key of its session. */
export interface Session extends SessionKey, SessionConnection {}

/** A user's connections in a context. */
export interface SessionRow extends SessionKey {
  /** The live connections and the superseded ones, which may still be open; the newest first. */
  connections: readonly SessionConnection[];
  /** Epoch seconds: when the last of its connections expires. */
  expirationDate: number;
  /** Undefined if 0.1.0 wrote the row. */
  revision?: string;
}

export function keyOf(key: SessionKey): Item {
  return { [A.callerId]: { S: key.callerId }, [A.context]: { S: key.context } };
}

export function itemOf({ connections, expirationDate, ...key }: SessionRow, revision: string): Item {
  const newest = connections.find(({ supersededBy }) => !supersededBy);
  const entries = connections.map((each) => [each.connectionId, { M: attributesOf(each) }]);
  return {
    ...keyOf(key),
    ...(newest && { [A.connectionId]: { S: newest.connectionId }, ...attributesOf(newest) }),
    [A.expirationDate]: { N: String(expirationDate) },
    [A.connections]: { M: Object.fromEntries(entries) as Item },
    [A.revision]: { S: revision },
  };
}

/** A row that the relay did not write is not a session's: it must not fail the rest of a batch. */
export function rowOf(item: Item): SessionRow | undefined {
  const [callerId, context, connectionId] = [item[A.callerId]?.S, item[A.context]?.S, item[A.connectionId]?.S];
  const [entries, expirationDate] = [item[A.connections]?.M, Number(item[A.expirationDate]?.N)];
  if (!callerId || !context || !(connectionId || entries) || Number.isNaN(expirationDate)) return undefined;
  const newest = connectionId ? connectionOf(connectionId, item) : undefined;
  if (connectionId && !newest) return undefined;
  const connections = Object.entries(entries ?? {}).flatMap(([id, { M }]) => (M && connectionOf(id, M)) ?? []);
  const isMissing = newest && !connections.some((each) => each.connectionId === connectionId);
  const revision = item[A.revision]?.S;
  return {
    callerId,
    context,
    expirationDate,
    connections: (isMissing ? [newest, ...connections] : connections).sort(newestFirst),
    ...(revision !== undefined && { revision }),
  };
}

export function newestFirst(a: SessionConnection, b: SessionConnection): number {
  return b.connectedAt - a.connectedAt;
}

function attributesOf(connection: SessionConnection): Item {
  const { connectedAt, expirationDate, tokenExpiresAt, subprotocol, supersededBy } = connection;
  return {
    [A.connectedAt]: { N: String(connectedAt) },
    [A.expirationDate]: { N: String(expirationDate) },
    ...(tokenExpiresAt !== undefined && { [A.tokenExpiresAt]: { N: String(tokenExpiresAt) } }),
    ...(subprotocol !== undefined && { [A.subprotocol]: { S: subprotocol } }),
    ...(supersededBy && { [A.supersededBy]: { S: supersededBy } }),
  };
}

function connectionOf(connectionId: string, item: Record<string, AttributeValue>): SessionConnection | undefined {
  const [connectedAt, expirationDate] = [Number(item[A.connectedAt]?.N), Number(item[A.expirationDate]?.N)];
  if (Number.isNaN(connectedAt) || Number.isNaN(expirationDate)) return undefined;
  const [tokenExpiresAt, subprotocol] = [item[A.tokenExpiresAt]?.N, item[A.subprotocol]?.S];
  const supersededBy = item[A.supersededBy]?.S;
  return {
    connectionId,
    connectedAt,
    expirationDate,
    ...(tokenExpiresAt !== undefined && { tokenExpiresAt: Number(tokenExpiresAt) }),
    ...(subprotocol !== undefined && { subprotocol }),
    ...(supersededBy && { supersededBy }),
  };
}
