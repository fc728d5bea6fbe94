import { blockItemKey, blockOf } from "./blockItems";
import { markedUntilOf, markerItemKey } from "./markerItems";
import { rowOf, type Session, SESSION_ATTRIBUTES as A, type SessionRow } from "./sessionItems";
import type { SessionKey } from "./sessionKey";
import { DynamoDbSessionReader } from "./sessionReader";
import {
  type Connections,
  hasConnection,
  withConnection,
  type WithConnection,
  type withoutConnection,
} from "./sessionRow";

/** Stores the connections of each user and context. */
export interface SessionStore {
  /** What a handshake depends on, by a consistent read. */
  readForConnect(key: SessionKey, options?: ReadForConnectOptions): Promise<ReadForConnect>;
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
    signal?: AbortSignal,
  ): Promise<Saved | "superseded" | "full">;
  /** The rows that exist, by `sessionId`, by consistent reads, including expired ones. */
  readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, SessionRow>>;
  /** The row, by a consistent read. */
  read(key: SessionKey, signal?: AbortSignal): Promise<SessionRow | undefined>;
  /**
   * Removes the connection from its session's row, and deletes the row with its last connection.
   *
   * @param without What remains of the row. @default `withoutConnection`: the connection has ended
   * @returns whether the connection was live: messages were sent to it.
   */
  removeConnection(
    key: SessionKey,
    connectionId: string,
    signal?: AbortSignal,
    without?: typeof withoutConnection,
  ): Promise<boolean>;
}

export interface ReadForConnectOptions {
  /** @default false */
  readsMarker?: boolean;
  signal?: AbortSignal;
}

export interface ReadForConnect {
  row?: SessionRow;
  /** Epoch seconds until which the user's handshakes are refused; may have passed. */
  blockedUntil?: number;
  /** Only with `readsMarker`: epoch seconds until which the session counts as connected; may have passed. */
  markedUntil?: number;
}

/** The connections to tell that they have lost their place. */
export type Saved = Pick<WithConnection, "superseded">;

/** Sessions in a DynamoDB table whose keys are `caller_id` and `context`. */
export class DynamoDbSessionStore extends DynamoDbSessionReader implements SessionStore {
  async readForConnect(key: SessionKey, options: ReadForConnectOptions = {}): Promise<ReadForConnect> {
    const [block, marker] = [blockItemKey(key.callerId), markerItemKey(key)];
    const items = await this.batchGet([key, block, ...(options.readsMarker ? [marker] : [])], options.signal);
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
    signal?: AbortSignal,
  ): Promise<Saved | "superseded" | "full"> {
    let superseded: readonly Session[] = [];
    const write = async (current: SessionRow | undefined) => {
      // The SDK has retried a write that had taken effect. Even if another connection has superseded this one since, those
      // that it has superseded itself have to be told.
      if (current && hasConnection(current, session.connectionId)) return { superseded };
      const next = withConnection(current, session, connections, gone);
      if (typeof next === "string") return next;
      superseded = next.superseded;
      return (await this.replace(session, current, next.row, signal)) ? { superseded } : undefined;
    };
    return (await write(row)) ?? (await this.untilWritten(session, write, signal));
  }
}
