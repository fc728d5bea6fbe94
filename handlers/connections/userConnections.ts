import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { blockAttributes, blockItemKey, blockOf } from "../sessions/blockItems";
import { keyOf, rowOf, type Session, SESSION_ATTRIBUTES as A, type SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import type { UserConnection } from "./connectionItems";
import { queryPages } from "../queryPages";

/** A user's connections, including superseded ones, and the block that keeps the user from opening any. */
export interface UserConnections {
  /** Epoch seconds until which the user's handshakes are refused, by a consistent read; a time in the past is no block. */
  blockedUntil(callerId: string, signal?: AbortSignal): Promise<number | undefined>;
  /** Refuses the user's handshakes until then. Replaces an earlier block, even a longer one. */
  block(callerId: string, until: number, signal?: AbortSignal): Promise<void>;
  /** All rows of the user, by a consistent read, including expired ones. */
  listByUser(callerId: string, signal?: AbortSignal): Promise<UserRows>;
}

export interface UserRows {
  /** The newest live connection of each session that has one. */
  sessions: Session[];
  connections: UserConnection[];
  blockedUntil?: number;
}

/** Connections in the session table. */
export class DynamoDbUserConnections implements UserConnections {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async blockedUntil(callerId: string, signal?: AbortSignal): Promise<number | undefined> {
    const Key = keyOf(blockItemKey(callerId));
    const command = new GetItemCommand({ TableName: this.table.tableName, Key, ConsistentRead: true });
    return blockOf((await this.client.send(command, { abortSignal: signal })).Item);
  }

  async block(callerId: string, until: number, signal?: AbortSignal): Promise<void> {
    const Item = { ...keyOf(blockItemKey(callerId)), ...blockAttributes(until) };
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item }), { abortSignal: signal });
  }

  async listByUser(callerId: string, signal?: AbortSignal): Promise<UserRows> {
    const found: UserRows = { sessions: [], connections: [] };
    const query = {
      TableName: this.table.tableName,
      KeyConditionExpression: `${A.callerId} = :user`,
      ExpressionAttributeValues: { ":user": { S: callerId } },
      ConsistentRead: true,
    };
    for await (const items of queryPages(this.client, query, signal)) {
      for (const item of items) {
        const row = rowOf(item);
        if (row) {
          found.sessions.push(...liveConnections(row).slice(0, 1));
          found.connections.push(...connectionsOf(row));
        } else found.blockedUntil ??= blockOf(item);
      }
    }
    return found;
  }
}

/** The connections of a session's row. */
export function connectionsOf({ callerId, context, connections }: SessionRow): UserConnection[] {
  return connections.map(({ connectionId, connectedAt, expirationDate, tokenExpiresAt, supersededBy }) => ({
    callerId,
    connectionId,
    connectedAt,
    expirationDate,
    context,
    ...(tokenExpiresAt !== undefined && { tokenExpiresAt }),
    ...(supersededBy && { superseded: true as const }),
  }));
}
