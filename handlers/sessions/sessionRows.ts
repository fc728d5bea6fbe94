import { randomUUID } from "node:crypto";
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { isFailedCondition, type Item } from "../tableClient";
import { itemOf, keyOf, rowOf, SESSION_ATTRIBUTES as A, type SessionRow } from "./sessionItems";
import type { SessionKey } from "./sessionKey";
import { hasConnection, liveConnections, withoutConnection } from "./sessionRow";

/** If a conditional write fails, another writer's has succeeded. A row has at most 19 connections, so few tries are needed. */
const MAX_WRITE_TRIES = 20;

/**
 * Sessions' rows in the session table, one at a time. Separate from the reader and the store, whose other calls would enlarge a
 * bundle that does not need them.
 */
export class DynamoDbSessionRows {
  constructor(
    protected readonly client: DynamoDBClient,
    protected readonly table: { tableName: string },
  ) {}

  /** The row, by a consistent read. */
  async read(key: SessionKey, signal?: AbortSignal): Promise<SessionRow | undefined> {
    const command = new GetItemCommand({ TableName: this.table.tableName, Key: keyOf(key), ConsistentRead: true });
    const { Item } = await this.client.send(command, { abortSignal: signal });
    return Item && rowOf(Item);
  }

  /** See `SessionStore`. */
  async removeConnection(
    key: SessionKey,
    connectionId: string,
    signal?: AbortSignal,
    without = withoutConnection,
  ): Promise<boolean> {
    const deleted = await this.deleteIfOnly(key, connectionId, signal);
    if (deleted) return deleted.connectionId === connectionId;
    const write = async (row: SessionRow | undefined) => {
      if (!row || !hasConnection(row, connectionId)) return false;
      const isWritten = await this.replace(key, row, without(row, connectionId), signal);
      return isWritten ? liveConnections(row).some((each) => each.connectionId === connectionId) : undefined;
    };
    return await this.untilWritten(key, write, signal);
  }

  /** Most sessions have a single connection: they are deleted without being read. Undefined if nothing was deleted. */
  private async deleteIfOnly(
    key: SessionKey,
    connectionId: string,
    signal?: AbortSignal,
  ): Promise<{ connectionId?: string } | undefined> {
    const isRowOf010 = `attribute_not_exists(${A.connections}) AND ${A.connectionId} = :id`;
    const isOnly = `attribute_exists(${A.connections}.#id) AND size(${A.connections}) = :one`;
    const deleted = await this.unlessConditionFails(
      new DeleteItemCommand({
        TableName: this.table.tableName,
        Key: keyOf(key),
        ConditionExpression: `(${isRowOf010}) OR (${isOnly})`,
        ExpressionAttributeNames: { "#id": connectionId },
        ExpressionAttributeValues: { ":id": { S: connectionId }, ":one": { N: "1" } },
        ReturnValues: "ALL_OLD",
      }),
      signal,
    );
    return deleted && { connectionId: deleted.Attributes?.[A.connectionId]?.S };
  }

  /** Reads the row and writes it, until no other writer comes between. */
  async untilWritten<T>(
    key: SessionKey,
    write: (row: SessionRow | undefined) => Promise<T | undefined>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tries = 1; tries < MAX_WRITE_TRIES; tries++) {
      const written = await write(await this.read(key, signal));
      if (written !== undefined) return written;
    }
    throw new Error(`the session's row has changed ${MAX_WRITE_TRIES} times while it was written`);
  }

  /** Writes `next` in the place of the row; without it, deletes the row. Returns whether the row was still as it had been read. */
  async replace(
    key: SessionKey,
    row: SessionRow | undefined,
    next: SessionRow | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { tableName: TableName } = this.table;
    const command = next
      ? new PutItemCommand({ TableName, Item: itemOf(next, randomUUID()), ...unchanged(row) })
      : new DeleteItemCommand({ TableName, Key: keyOf(key), ...unchanged(row) });
    return (await this.unlessConditionFails(command, signal)) !== undefined;
  }

  private async unlessConditionFails(
    command: PutItemCommand | DeleteItemCommand,
    signal?: AbortSignal,
  ): Promise<{ Attributes?: Item } | undefined> {
    try {
      return await this.client.send(command as PutItemCommand, { abortSignal: signal });
    } catch (error) {
      if (isFailedCondition(error)) return undefined;
      throw error;
    }
  }
}

/** The condition that no one has written the row since it was read. */
function unchanged(
  row: SessionRow | undefined,
): Pick<PutItemCommandInput, "ConditionExpression" | "ExpressionAttributeValues"> {
  if (row?.revision !== undefined) {
    return {
      ConditionExpression: `${A.revision} = :revision`,
      ExpressionAttributeValues: { ":revision": { S: row.revision } },
    };
  }
  const isOf010 = `attribute_not_exists(${A.revision}) AND `;
  const [newest] = row ? liveConnections(row) : [];
  return newest
    ? {
        ConditionExpression: `${isOf010}${A.connectionId} = :id`,
        ExpressionAttributeValues: { ":id": { S: newest.connectionId } },
      }
    : { ConditionExpression: `${isOf010}attribute_not_exists(${A.connectedAt})` };
}
