import { randomUUID } from "node:crypto";
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { blockItemKey, blockOf } from "../connections/connectionItems";
import { type Environment, text } from "../environment";
import { isFailedCondition, type Item, tableClient } from "../tableClient";
import { itemOf, keyOf, rowOf, type Session, SESSION_ATTRIBUTES as A, sessionOf } from "./sessionItems";
import { sessionId, type SessionKey } from "./sessionKey";
import { hasConnection, isSuperseded, type SessionRow, withConnection, withoutConnection } from "./sessionRow";

/** Stores the connections of each user and context. */
export interface SessionStore {
  /** What a handshake depends on, by a consistent read: the session's row and the user's block, which may have passed. */
  readForConnect(key: SessionKey): Promise<{ row?: SessionRow; blockedUntil?: number }>;
  /**
   * Makes the connection its session's newest; `superseded` if a connection that is as new or newer has the session.
   *
   * @param row As it was read. If another writer has changed it since, it is read again.
   */
  save(session: Session, row?: SessionRow): Promise<Saved | "superseded">;
  /** The sessions that exist, by `sessionId`, by consistent reads, including expired ones. */
  readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, Session>>;
  /** The session, by a consistent read. */
  read(key: SessionKey, signal?: AbortSignal): Promise<Session | undefined>;
  /**
   * Removes the connection from its session's row, and deletes the row with its last connection.
   *
   * @returns whether the session was this connection's; if not, it stays.
   */
  removeConnection(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<boolean>;
}

/** The session of another connection that was the newest until then. */
export interface Saved {
  replaced: Session | undefined;
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const MAX_BATCH_KEYS = 100;
const MAX_BATCH_TRIES = 4;
const FIRST_BATCH_WAIT_MS = 50;

/** A write that fails lets another one succeed, and a row has ten connections. */
const MAX_WRITE_TRIES = 20;

/** Sessions in a DynamoDB table whose keys are `caller_id` and `context`. */
export class DynamoDbSessionStore implements SessionStore {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
    private readonly wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {}

  async readForConnect(key: SessionKey): Promise<{ row?: SessionRow; blockedUntil?: number }> {
    const block = blockItemKey(key.callerId);
    const items = await this.readItems([key, block]);
    const item = ({ context }: SessionKey) => items.find((each) => each[A.context]?.S === context);
    const [row, blockedUntil] = [rowOf(item(key) ?? {}), blockOf(item(block))];
    return { ...(row && { row }), ...(blockedUntil !== undefined && { blockedUntil }) };
  }

  async save(session: Session, row?: SessionRow): Promise<Saved | "superseded"> {
    let replaced: Session | undefined;
    const write = async (current: SessionRow | undefined) => {
      if (isSuperseded(session, current)) return "superseded";
      // The SDK has retried a write that had taken effect.
      if (current?.session?.connectionId === session.connectionId) return { replaced };
      replaced = current?.session;
      return (await this.replaceRow(session, current, withConnection(current, session))) ? { replaced } : undefined;
    };
    return (await write(row)) ?? (await this.untilWritten(session, write));
  }

  async readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, Session>> {
    const distinct = [...new Map(keys.map((key) => [sessionId(key), key])).values()];
    const chunks: SessionKey[][] = [];
    for (let i = 0; i < distinct.length; i += MAX_BATCH_KEYS) chunks.push(distinct.slice(i, i + MAX_BATCH_KEYS));
    const items = (await Promise.all(chunks.map((chunk) => this.readItems(chunk, signal)))).flat();
    const sessions = items.flatMap((item) => sessionOf(item) ?? []);
    return new Map(sessions.map((session) => [sessionId(session), session]));
  }

  async read(key: SessionKey, signal?: AbortSignal): Promise<Session | undefined> {
    return await readSession(this.client, this.table.tableName, key, signal);
  }

  async removeConnection(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<boolean> {
    const deleted = await this.deleteIfOnly(key, connectionId, signal);
    if (deleted) return deleted.connectionId === connectionId;
    const write = async (row: SessionRow | undefined) => {
      if (!row || !hasConnection(row, connectionId)) return false;
      const isWritten = await this.replaceRow(key, row, withoutConnection(row, connectionId), signal);
      return isWritten ? row.session?.connectionId === connectionId : undefined;
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
    const isOnly = `size(${A.connections}) = :one AND attribute_exists(${A.connections}.#id)`;
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
  private async untilWritten<T>(
    key: SessionKey,
    write: (row: SessionRow | undefined) => Promise<T | undefined>,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let tries = 1; tries < MAX_WRITE_TRIES; tries++) {
      const item = await readItem(this.client, this.table.tableName, key, signal);
      const written = await write(item && rowOf(item));
      if (written !== undefined) return written;
    }
    throw new Error(`the session's row has changed ${MAX_WRITE_TRIES} times while it was written`);
  }

  /** Writes `next` in the place of the row; without it, deletes the row. Returns whether the row was still as it had been read. */
  private async replaceRow(
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

  private async readItems(chunk: readonly SessionKey[], signal?: AbortSignal): Promise<Item[]> {
    const { tableName } = this.table;
    const items: Item[] = [];
    let keys = chunk.map(keyOf);
    for (let tries = 1; ; tries++) {
      const { Responses, UnprocessedKeys } = await this.client.send(
        new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
        { abortSignal: signal },
      );
      items.push(...(Responses?.[tableName] ?? []));
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (keys.length === 0) return items;
      if (tries === MAX_BATCH_TRIES) throw new Error(`the table did not return ${keys.length} items`);
      await this.wait(FIRST_BATCH_WAIT_MS * 2 ** (tries - 1));
    }
  }
}

/** The store in the table `TABLE_NAME`. */
export function sessionStoreFromEnvironment(environment: Environment): SessionStore {
  return new DynamoDbSessionStore(tableClient(), { tableName: text(environment, "TABLE_NAME") });
}

/** The session, by a consistent read. Separate from the store, whose other calls would enlarge a bundle that only reads. */
export async function readSession(
  client: DynamoDBClient,
  tableName: string,
  key: SessionKey,
  signal?: AbortSignal,
): Promise<Session | undefined> {
  const item = await readItem(client, tableName, key, signal);
  return item && sessionOf(item);
}

async function readItem(
  client: DynamoDBClient,
  tableName: string,
  key: SessionKey,
  signal?: AbortSignal,
): Promise<Item | undefined> {
  const command = new GetItemCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true });
  return (await client.send(command, { abortSignal: signal })).Item;
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
  return row?.session
    ? {
        ConditionExpression: `${isOf010}${A.connectionId} = :id`,
        ExpressionAttributeValues: { ":id": { S: row.session.connectionId } },
      }
    : { ConditionExpression: `${isOf010}attribute_not_exists(${A.connectedAt})` };
}
