import { BatchGetItemCommand, type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { type Environment, text } from "../environment";
import { type Item, tableClient } from "../tableClient";
import { blockItemKey, blockOf } from "./blockItems";
import { keyOf, rowOf, type Session, SESSION_ATTRIBUTES as A, sessionOf, type SessionRow } from "./sessionItems";
import { sessionId, type SessionKey } from "./sessionKey";
import { isSuperseded, withConnection } from "./sessionRow";
import { DynamoDbSessionRows } from "./sessionRows";

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

/** Sessions in a DynamoDB table whose keys are `caller_id` and `context`. */
export class DynamoDbSessionStore implements SessionStore {
  private readonly rows: DynamoDbSessionRows;

  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
    private readonly wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    this.rows = new DynamoDbSessionRows(client, table);
  }

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
      return (await this.rows.replace(session, current, withConnection(current, session))) ? { replaced } : undefined;
    };
    return (await write(row)) ?? (await this.rows.untilWritten(session, write));
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
    return await this.rows.removeConnection(key, connectionId, signal);
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
  const command = new GetItemCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true });
  const { Item } = await client.send(command, { abortSignal: signal });
  return Item && sessionOf(Item);
}
