import {
  type AttributeValue,
  BatchGetItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import { type Environment, text } from "../environment";
import { isFailedCondition, tableClient } from "../tableClient";
import { itemOf, keyOf, type Session, SESSION_ATTRIBUTES as A, sessionOf } from "./sessionItems";
import { sessionId, type SessionKey } from "./sessionKey";

/** Stores the connection of each user and context. */
export interface SessionStore {
  /** The session that it replaced, if any; `superseded` if a connection that is as new or newer already has the session. */
  save(session: Session): Promise<Saved | "superseded">;
  /** The sessions that exist, by `sessionId`, by consistent reads, including expired ones. */
  readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, Session>>;
  /** The session, by a consistent read. */
  read(key: SessionKey, signal?: AbortSignal): Promise<Session | undefined>;
  /** Deletes the item if it still belongs to that connection; succeeds and changes nothing if it belongs to another. */
  deleteIfConnection(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<void>;
  /** Keys of the connection's items, including its connection item. The index lags: some may be gone or just changed. */
  findByConnection(connectionId: string): Promise<SessionKey[]>;
}

/** The previous row: an earlier connection's session, or the same one's if the SDK has retried the write. */
export interface Saved {
  replaced: Session | undefined;
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const MAX_BATCH_KEYS = 100;
const MAX_BATCH_TRIES = 4;
const FIRST_BATCH_WAIT_MS = 50;

/** Sessions in a DynamoDB table whose keys are `caller_id` and `context`. */
export class DynamoDbSessionStore implements SessionStore {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string; connectionIndexName?: string },
    private readonly wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {}

  async save(session: Session): Promise<Saved | "superseded"> {
    try {
      const { Attributes } = await this.client.send(
        new PutItemCommand({
          TableName: this.table.tableName,
          Item: itemOf(session),
          // The newest connection wins. Its own id allows a retry by the SDK, which finds the row that it has written.
          ConditionExpression: `attribute_not_exists(${A.connectedAt}) OR ${A.connectedAt} < :at OR ${A.connectionId} = :id`,
          ExpressionAttributeValues: { ":at": { N: String(session.connectedAt) }, ":id": { S: session.connectionId } },
          ReturnValues: "ALL_OLD",
        }),
      );
      return { replaced: Attributes && sessionOf(Attributes) };
    } catch (error) {
      if (isFailedCondition(error)) return "superseded";
      throw error;
    }
  }

  async readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, Session>> {
    const distinct = [...new Map(keys.map((key) => [sessionId(key), key])).values()];
    const chunks: SessionKey[][] = [];
    for (let i = 0; i < distinct.length; i += MAX_BATCH_KEYS) chunks.push(distinct.slice(i, i + MAX_BATCH_KEYS));
    const sessions = (await Promise.all(chunks.map((chunk) => this.readChunk(chunk, signal)))).flat();
    return new Map(sessions.map((session) => [sessionId(session), session]));
  }

  async read(key: SessionKey, signal?: AbortSignal): Promise<Session | undefined> {
    return await readSession(this.client, this.table.tableName, key, signal);
  }

  async deleteIfConnection(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.client.send(
        new DeleteItemCommand({
          TableName: this.table.tableName,
          Key: keyOf(key),
          ConditionExpression: `${A.connectionId} = :id`,
          ExpressionAttributeValues: { ":id": { S: connectionId } },
        }),
        { abortSignal: signal },
      );
    } catch (error) {
      if (!isFailedCondition(error)) throw error;
    }
  }

  async findByConnection(connectionId: string): Promise<SessionKey[]> {
    const keys: SessionKey[] = [];
    let start: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.client.send(
        new QueryCommand({
          TableName: this.table.tableName,
          IndexName: this.table.connectionIndexName,
          KeyConditionExpression: `${A.connectionId} = :id`,
          ExpressionAttributeValues: { ":id": { S: connectionId } },
          ExclusiveStartKey: start,
        }),
      );
      for (const item of page.Items ?? []) {
        keys.push({ callerId: item[A.callerId]?.S ?? "", context: item[A.context]?.S ?? "" });
      }
      start = page.LastEvaluatedKey;
    } while (start);
    return keys;
  }

  private async readChunk(chunk: SessionKey[], signal?: AbortSignal): Promise<Session[]> {
    const { tableName } = this.table;
    const sessions: Session[] = [];
    let keys = chunk.map(keyOf);
    for (let tries = 1; ; tries++) {
      const { Responses, UnprocessedKeys } = await this.client.send(
        new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
        { abortSignal: signal },
      );
      sessions.push(...(Responses?.[tableName] ?? []).flatMap((item) => sessionOf(item) ?? []));
      keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
      if (keys.length === 0) return sessions;
      if (tries === MAX_BATCH_TRIES) throw new Error(`the table did not return ${keys.length} sessions`);
      await this.wait(FIRST_BATCH_WAIT_MS * 2 ** (tries - 1));
    }
  }
}

/** The store in the table `TABLE_NAME`; the index is only needed to look up connections. */
export function sessionStoreFromEnvironment(environment: Environment, connectionIndexName?: string): SessionStore {
  return new DynamoDbSessionStore(tableClient(), { tableName: text(environment, "TABLE_NAME"), connectionIndexName });
}

/** The session, by a consistent read. Separate from the store, whose other calls would enlarge a bundle that only reads. */
export async function readSession(
  client: DynamoDBClient,
  tableName: string,
  key: SessionKey,
  signal?: AbortSignal,
): Promise<Session | undefined> {
  const command = new GetItemCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true });
  const { Item } = await client.send(command, { abortSignal: signal });
  return Item && sessionOf(Item);
}
