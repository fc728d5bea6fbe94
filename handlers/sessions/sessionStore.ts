import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Environment, text } from "../environment";
import { type Item, tableClient } from "../tableClient";
import { batchGet, waitMs } from "./batchGet";
import { blockItemKey, blockOf } from "./blockItems";
import { keyOf, rowOf, type Session, SESSION_ATTRIBUTES as A, type SessionRow } from "./sessionItems";
import { sessionId, type SessionKey } from "./sessionKey";
import { type Connections, hasConnection, withConnection, type WithConnection } from "./sessionRow";
import { DynamoDbSessionRows } from "./sessionRows";

/** Stores the connections of each user and context. */
export interface SessionStore {
  /** What a handshake depends on, by a consistent read: the session's row and the user's block, which may have passed. */
  readForConnect(key: SessionKey): Promise<{ row?: SessionRow; blockedUntil?: number }>;
  /**
   * Adds the connection to its session's row; see `withConnection` for why it is not added.
   *
   * @param row As it was read. If another writer has changed it since, it is read again.
   */
  save(session: Session, connections: Connections, row?: SessionRow): Promise<Saved | "superseded" | "full">;
  /** The rows that exist, by `sessionId`, by consistent reads, including expired ones. */
  readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, SessionRow>>;
  /** The row, by a consistent read. */
  read(key: SessionKey, signal?: AbortSignal): Promise<SessionRow | undefined>;
  /**
   * Removes the connection from its session's row, and deletes the row with its last connection.
   *
   * @returns whether the connection was live: messages were sent to it.
   */
  removeConnection(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<boolean>;
}

/** The connections that have lost their place to the one that was saved. */
export type Saved = Pick<WithConnection, "superseded">;

/** Sessions in a DynamoDB table whose keys are `caller_id` and `context`. */
export class DynamoDbSessionStore implements SessionStore {
  private readonly rows: DynamoDbSessionRows;

  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
    private readonly wait: (ms: number) => Promise<void> = waitMs,
  ) {
    this.rows = new DynamoDbSessionRows(client, table);
  }

  async readForConnect(key: SessionKey): Promise<{ row?: SessionRow; blockedUntil?: number }> {
    const block = blockItemKey(key.callerId);
    const items = await this.batchGet([key, block]);
    const item = ({ context }: SessionKey) => items.find((each) => each[A.context]?.S === context);
    const [row, blockedUntil] = [rowOf(item(key) ?? {}), blockOf(item(block))];
    return { ...(row && { row }), ...(blockedUntil !== undefined && { blockedUntil }) };
  }

  async save(session: Session, connections: Connections, row?: SessionRow): Promise<Saved | "superseded" | "full"> {
    let superseded: readonly Session[] = [];
    const write = async (current: SessionRow | undefined) => {
      // The SDK has retried a write that had taken effect.
      if (current && hasConnection(current, session.connectionId)) return { superseded };
      const next = withConnection(current, session, connections);
      if (typeof next === "string") return next;
      superseded = next.superseded;
      return (await this.rows.replace(session, current, next.row)) ? { superseded } : undefined;
    };
    return (await write(row)) ?? (await this.rows.untilWritten(session, write));
  }

  async readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, SessionRow>> {
    const distinct = [...new Map(keys.map((key) => [sessionId(key), key])).values()];
    const items = await this.batchGet(distinct, signal);
    const rows = items.flatMap((item) => rowOf(item) ?? []);
    return new Map(rows.map((row) => [sessionId(row), row]));
  }

  async read(key: SessionKey, signal?: AbortSignal): Promise<SessionRow | undefined> {
    return await this.rows.read(key, signal);
  }

  async removeConnection(key: SessionKey, connectionId: string, signal?: AbortSignal): Promise<boolean> {
    return await this.rows.removeConnection(key, connectionId, signal);
  }

  private async batchGet(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Item[]> {
    const { client, wait } = this;
    return await batchGet(keys.map(keyOf), { client, wait, tableName: this.table.tableName }, signal);
  }
}

/** The store in the table `TABLE_NAME`. */
export function sessionStoreFromEnvironment(environment: Environment): SessionStore {
  return new DynamoDbSessionStore(tableClient(), { tableName: text(environment, "TABLE_NAME") });
}
