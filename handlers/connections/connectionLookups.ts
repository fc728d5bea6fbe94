import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { keyOf, SESSION_ATTRIBUTES, sessionOf } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import { connectionItemKey } from "./connectionItems";

/** The session of a connection: a frame carries only the connection's id. */
export interface ConnectionLookup {
  connectionId: string;
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: number;
  /** Epoch seconds, as DynamoDB's TTL requires. */
  expirationDate: number;
  session: SessionKey;
}

/** Finds the session of a connection. The index on connections could as well, but it lags. */
export interface ConnectionLookups {
  add(lookup: ConnectionLookup): Promise<void>;
  /** A consistent read; undefined if the connection has ended or was never admitted. */
  read(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined>;
}

/** Attributes of lookups, besides those that they share with sessions. */
const LOOKUP_ATTRIBUTES = {
  sessionCallerId: "session_caller_id",
  sessionContext: "session_context",
} as const;

const A = { ...SESSION_ATTRIBUTES, ...LOOKUP_ATTRIBUTES };

/** Lookups in the session table. */
export class DynamoDbConnectionLookups implements ConnectionLookups {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async add({ connectionId, connectedAt, expirationDate, session }: ConnectionLookup): Promise<void> {
    const Item = {
      ...keyOf(connectionLookupKey(connectionId)),
      // The index finds the lookup by it when the connection ends.
      [A.connectionId]: { S: connectionId },
      [A.connectedAt]: { N: String(connectedAt) },
      [A.expirationDate]: { N: String(expirationDate) },
      [A.sessionCallerId]: { S: session.callerId },
      [A.sessionContext]: { S: session.context },
    };
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item }));
  }

  async read(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined> {
    const Key = keyOf(connectionLookupKey(connectionId));
    const command = new GetItemCommand({ TableName: this.table.tableName, Key, ConsistentRead: true });
    const { Item = {} } = await this.client.send(command, { abortSignal: signal });
    const row = sessionOf(Item);
    const [callerId, context] = [Item[A.sessionCallerId]?.S, Item[A.sessionContext]?.S];
    if (!row || !callerId || !context) return undefined;
    const { connectedAt, expirationDate } = row;
    return { connectionId, connectedAt, expirationDate, session: { callerId, context } };
  }
}

/**
 * Keyed by the connection alone. A session's partition key begins with `user#`, so it never equals this one. The sort key is
 * that of a connection's item, so that a reader of the index on connections takes neither for a session.
 */
export function connectionLookupKey(connectionId: string): SessionKey {
  return connectionItemKey({ callerId: `connection#${connectionId}`, connectionId });
}
