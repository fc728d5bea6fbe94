import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Environment, text } from "../environment";
import { type Item, tableClient } from "../tableClient";
import { batchGet, waitMs } from "./batchGet";
import { blockItemKey, blockOf } from "./blockItems";
import { markedUntilOf, markerItemKey } from "./markerItems";
import { keyOf, rowOf, type Session, SESSION_ATTRIBUTES as A, type SessionRow } from "./sessionItems";
import { sessionId, type SessionKey } from "./sessionKey";
import { type Connections, hasConnection, withConnection, type WithConnection } from "./sessionRow";
import { DynamoDbSessionRows } from "./sessionRows";

/** Stores the connections of each user and context. */
export interface SessionStore {
  /** What a handshake depends on, by a consistent read. */
  readForConnect(key: SessionKey, options?: { readsMarker?: boolean }): Promise<ReadForConnect>;
  /**
   * Adds the connection to its session's row; see `withConnection` for why it is not added.
   *
   * @param row As it was read. If another writer has changed it since, it is read again.
   * @param gone Ids of connections that have ended: they are removed.
   */
  save(
    session: Session,
    connections: Connections,
    row?: SessionRow,
    gone?: ReadonlySet<string>,
  ): Promise<Saved | "superseded" | "full">;
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

export interface ReadForConnect {
  row?: SessionRow;
  /** Epoch seconds until which the user's handshakes are refused; may have passed. */
  blockedUntil?: number;
  /** Only with `readsMarker`: epoch seconds until which the session counts as connected; may have passed. */
  markedUntil?: number;
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

  async readForConnect(key: SessionKey, options?: { readsMarker?: boolean }): Promise<ReadForConnect> {
    const [block, marker] = [blockItemKey(key.callerId), markerItemKey(key)];
    const items = await this.batchGet([key, block, ...(options?.readsMarker ? [marker] : [])]);
    const item = ({ callerId, context }: SessionKey) =>
      items.find((each) => each[A.callerId]?.S === callerId && each[A.context]?.S === context);
    const row = rowOf(item(key) ?? {});
    const [blockedUntil, markedUntil] = [blockOf(item(block)), markedUntilOf(item(marker))];
    return {
      ...(row && { row }),
      ...(blockedUntil !== undefined && { blockedUntil }),
      ...(markedUntil !== undefined && { markedUntil }),
    };
  }

  async save(
    session: Session,
    connections: Connections,
    row?: SessionRow,
    gone?: ReadonlySet<string>,
  ): Promise<Saved | "superseded" | "full"> {
    let superseded: readonly Session[] = [];
    const write = async (current: SessionRow | undefined) => {
      // The SDK has retried a write that had taken effect. Even if another connection has superseded this one since, those
      // that it has superseded itself have to be told.
      if (current && hasConnection(current, session.connectionId)) return { superseded };
      const next = withConnection(current, session, connections, gone);
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
