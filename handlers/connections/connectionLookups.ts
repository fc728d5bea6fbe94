import { DeleteItemCommand, type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { keyOf, SESSION_ATTRIBUTES } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import type { Item } from "../tableClient";
import { CONNECTION_ATTRIBUTES, expiryShardOf, lookupItemKey } from "./connectionItems";

/** The session of a connection: a frame and `$disconnect` carry only the connection's id. */
export interface ConnectionLookup {
  connectionId: string;
  /** Epoch milliseconds, the gateway's own clock. */
  connectedAt: number;
  /** Epoch seconds, as DynamoDB's TTL requires. */
  expirationDate: number;
  /** Epoch seconds at which the token ends; only if sessions end with their token. */
  tokenExpiresAt?: number;
  session: SessionKey;
}

/** Finds the session of a connection. */
export interface ConnectionLookups {
  add(lookup: ConnectionLookup, signal?: AbortSignal): Promise<void>;
  /** A consistent read; undefined if the connection has ended or was never admitted. */
  read(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined>;
  /** Deletes the lookup and returns it; undefined if there was none. */
  remove(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined>;
}

const A = { ...SESSION_ATTRIBUTES, ...CONNECTION_ATTRIBUTES };

/** Lookups in the session table. */
export class DynamoDbConnectionLookups implements ConnectionLookups {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async add(lookup: ConnectionLookup, signal?: AbortSignal): Promise<void> {
    const command = new PutItemCommand({ TableName: this.table.tableName, Item: itemOf(lookup) });
    await this.client.send(command, { abortSignal: signal });
  }

  async read(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined> {
    const Key = keyOf(lookupItemKey(connectionId));
    const command = new GetItemCommand({ TableName: this.table.tableName, Key, ConsistentRead: true });
    return lookupOf(connectionId, (await this.client.send(command, { abortSignal: signal })).Item);
  }

  async remove(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined> {
    const Key = keyOf(lookupItemKey(connectionId));
    const command = new DeleteItemCommand({ TableName: this.table.tableName, Key, ReturnValues: "ALL_OLD" });
    return lookupOf(connectionId, (await this.client.send(command, { abortSignal: signal })).Attributes);
  }
}

function itemOf({ connectionId, connectedAt, expirationDate, tokenExpiresAt, session }: ConnectionLookup): Item {
  return {
    ...keyOf(lookupItemKey(connectionId)),
    [A.connectedAt]: { N: String(connectedAt) },
    [A.expirationDate]: { N: String(expirationDate) },
    [A.sessionCallerId]: { S: session.callerId },
    [A.sessionContext]: { S: session.context },
    ...(tokenExpiresAt !== undefined && {
      [A.tokenExpiresAt]: { N: String(tokenExpiresAt) },
      [A.expiryShard]: { S: expiryShardOf(connectionId) },
    }),
  };
}

function lookupOf(connectionId: string, item: Item = {}): ConnectionLookup | undefined {
  const [callerId, context] = [item[A.sessionCallerId]?.S, item[A.sessionContext]?.S];
  const [connectedAt, expirationDate] = [Number(item[A.connectedAt]?.N), Number(item[A.expirationDate]?.N)];
  if (!callerId || !context || Number.isNaN(connectedAt) || Number.isNaN(expirationDate)) return undefined;
  const tokenExpiresAt = item[A.tokenExpiresAt]?.N;
  return {
    connectionId,
    connectedAt,
    expirationDate,
    ...(tokenExpiresAt !== undefined && { tokenExpiresAt: Number(tokenExpiresAt) }),
    session: { callerId, context },
  };
}
