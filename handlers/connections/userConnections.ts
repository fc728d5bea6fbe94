import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import { keyOf, type Session, SESSION_ATTRIBUTES, sessionOf } from "../sessions/sessionItems";
import type { Item } from "../tableClient";
import {
  blockItemKey,
  CONNECTION_ATTRIBUTES,
  type ConnectionKey,
  connectionIdOf,
  connectionItemKey,
  expiryShardOf,
  type UserConnection,
} from "./connectionItems";

/** A user's connections, including superseded ones, and the block that keeps the user from opening any. */
export interface UserConnections {
  add(connection: UserConnection): Promise<void>;
  /** The connection's item, by a consistent read. */
  readConnection(key: ConnectionKey, signal?: AbortSignal): Promise<UserConnection | undefined>;
  /** Epoch seconds until which the user's handshakes are refused, by a consistent read; a time in the past is no block. */
  blockedUntil(callerId: string): Promise<number | undefined>;
  /** Refuses the user's handshakes until then. Replaces an earlier block, even a longer one. */
  block(callerId: string, until: number, signal?: AbortSignal): Promise<void>;
  /** All items of the user, by a consistent read, including expired ones. */
  listByUser(callerId: string, signal?: AbortSignal): Promise<UserItems>;
  /** Connections of a shard whose token ends at `epochSeconds` or before, page by page. The index lags. */
  findExpired(shard: string, epochSeconds: number, signal?: AbortSignal): AsyncIterable<ConnectionKey[]>;
}

export interface UserItems {
  sessions: Session[];
  connections: UserConnection[];
  blockedUntil?: number;
}

const A = { ...SESSION_ATTRIBUTES, ...CONNECTION_ATTRIBUTES };

/** Connections in the session table. */
export class DynamoDbUserConnections implements UserConnections {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string; tokenExpiryIndexName?: string },
  ) {}

  async add(connection: UserConnection): Promise<void> {
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item: itemOf(connection) }));
  }

  async readConnection(key: ConnectionKey, signal?: AbortSignal): Promise<UserConnection | undefined> {
    const item = await this.get(keyOf(connectionItemKey(key)), signal);
    return item && connectionOf(item);
  }

  async blockedUntil(callerId: string): Promise<number | undefined> {
    return blockOf(await this.get(keyOf(blockItemKey(callerId))));
  }

  async block(callerId: string, until: number, signal?: AbortSignal): Promise<void> {
    const times = { [A.blockedUntil]: { N: String(until) }, [A.expirationDate]: { N: String(until) } };
    const Item = { ...keyOf(blockItemKey(callerId)), ...times };
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item }), { abortSignal: signal });
  }

  async listByUser(callerId: string, signal?: AbortSignal): Promise<UserItems> {
    const found: UserItems = { sessions: [], connections: [] };
    const query = {
      KeyConditionExpression: `${A.callerId} = :user`,
      ExpressionAttributeValues: { ":user": { S: callerId } },
      ConsistentRead: true,
    };
    for await (const items of this.pages(query, signal)) {
      for (const item of items) {
        const [connection, session] = [connectionOf(item), sessionOf(item)];
        if (connection) found.connections.push(connection);
        else if (session) found.sessions.push(session);
        else found.blockedUntil ??= blockOf(item);
      }
    }
    return found;
  }

  async *findExpired(shard: string, epochSeconds: number, signal?: AbortSignal): AsyncGenerator<ConnectionKey[]> {
    const query = {
      IndexName: this.table.tokenExpiryIndexName,
      KeyConditionExpression: `${A.expiryShard} = :shard AND ${A.tokenExpiresAt} <= :now`,
      ExpressionAttributeValues: { ":shard": { S: shard }, ":now": { N: String(epochSeconds) } },
    };
    for await (const items of this.pages(query, signal)) {
      yield items.flatMap((item) => connectionKeyOf(item) ?? []);
    }
  }

  private async get(Key: Item, signal?: AbortSignal): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: this.table.tableName, Key, ConsistentRead: true });
    return (await this.client.send(command, { abortSignal: signal })).Item;
  }

  private async *pages(
    query: Omit<ConstructorParameters<typeof QueryCommand>[0], "TableName">,
    signal?: AbortSignal,
  ): AsyncGenerator<Item[]> {
    let start: Record<string, AttributeValue> | undefined;
    do {
      const command = new QueryCommand({ ...query, TableName: this.table.tableName, ExclusiveStartKey: start });
      const page = await this.client.send(command, { abortSignal: signal });
      yield page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start);
  }
}

function itemOf(connection: UserConnection): Item {
  const { connectionId, connectedAt, expirationDate, sessionContext, tokenExpiresAt } = connection;
  return {
    ...keyOf(connectionItemKey(connection)),
    [A.connectionId]: { S: connectionId },
    [A.connectedAt]: { N: String(connectedAt) },
    [A.expirationDate]: { N: String(expirationDate) },
    [A.sessionContext]: { S: sessionContext },
    ...(tokenExpiresAt !== undefined && {
      [A.tokenExpiresAt]: { N: String(tokenExpiresAt) },
      [A.expiryShard]: { S: expiryShardOf(connectionId) },
    }),
  };
}

function connectionOf(item: Item): UserConnection | undefined {
  const key = connectionKeyOf(item);
  const session = sessionOf(item);
  const sessionContext = item[A.sessionContext]?.S;
  if (!key || !session || !sessionContext) return undefined;
  const { connectedAt, expirationDate, tokenExpiresAt } = session;
  return {
    ...key,
    connectedAt,
    expirationDate,
    sessionContext,
    ...(tokenExpiresAt !== undefined && { tokenExpiresAt }),
  };
}

function connectionKeyOf(item: Item): ConnectionKey | undefined {
  const [callerId, connectionId] = [item[A.callerId]?.S, connectionIdOf(item[A.context]?.S ?? "")];
  return callerId && connectionId ? { callerId, connectionId } : undefined;
}

function blockOf(item: Item | undefined): number | undefined {
  const until = item?.[A.blockedUntil]?.N;
  return until === undefined ? undefined : Number(until);
}
