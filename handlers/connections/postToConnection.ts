import { errorFields, type Log, type LogFields } from "../log";
import { REASONS } from "../messages/reasons";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections, withoutConnection } from "../sessions/sessionRow";
import type { SessionStore } from "../sessions/sessionStore";
import { closeIfGone } from "./closeIfGone";
import { type ConnectionsClient, YOUNG_CONNECTION_MS } from "./connectionsClient";

export interface PostToConnectionDependencies {
  sessions: Pick<SessionStore, "read" | "removeConnection">;
  connections: ConnectionsClient;
  /** The subprotocols of this mode's connections; `undefined` is that of raw clients. */
  subprotocols: readonly (string | undefined)[];
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** The text to post. */
export interface Post {
  text: string;
  /** Whether it is too late to post. @default never */
  isLate?: () => boolean;
  /** Names the message in log lines. */
  fields: LogFields;
}

/** The outcome of a post to one connection. */
export type Posted =
  /** The gateway accepted it. */
  | { kind: "accepted" }
  /**
   * The connection has ended. `row`, read since, has the connections that its client may have opened in the meantime; undefined
   * if the session has no other connection, or was not read.
   */
  | { kind: "ended"; reason: string; row: SessionRow | undefined }
  /** The connection may be open. */
  | { kind: "failed"; reason: string }
  /** The gateway will never accept it. */
  | { kind: "refused"; reason: string }
  /** It has expired. */
  | { kind: "late"; reason: string };

/** Posts to one connection of a session. If the connection has ended, removes it from the session's row. */
export async function postToConnection(
  post: Post,
  connection: Session,
  dependencies: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<Posted> {
  const { connections, log } = dependencies;
  const { text, isLate, fields } = post;
  if (isLate?.()) return { kind: "late", reason: REASONS.expired };
  const over = reasonToEnd(connection, dependencies);
  if (over) {
    const hasEnded = await closeConnection(post, connection, over, dependencies, signal);
    return hasEnded ? { kind: "ended", reason: over, row: undefined } : { kind: "failed", reason: over };
  }

  const { result, detail } = await connections.post(connection.connectionId, text, signal);
  if (result === "delivered") return { kind: "accepted" };
  if (result === "payload-too-large") return { kind: "refused", reason: result };
  const ids = { ...fields, connectionId: connection.connectionId };
  if (result === "forbidden") {
    log.error("configuration error: the function may not post to connections", { ...ids, detail });
  } else {
    log.info("not posted", { ...ids, result, detail });
  }
  return result === "gone"
    ? await postedToGone(post, connection, dependencies, signal)
    : { kind: "failed", reason: result };
}

/** Reads the row again: `$disconnect` or `connect` may have removed the connection, and the client may have opened another. */
async function postedToGone(
  post: Post,
  connection: Session,
  dependencies: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<Posted> {
  const { callerId, context, connectionId } = connection;
  const { sessions, log } = dependencies;
  let row: SessionRow | undefined;
  try {
    row = await sessions.read({ callerId, context }, signal);
  } catch (error) {
    log.error("session not read again", { ...post.fields, connectionId, ...errorFields(error) });
    return { kind: "failed", reason: signal.aborted ? REASONS.timeout : REASONS.sessionStoreUnavailable };
  }
  const live = row ? liveConnections(row) : [];
  if (!row || live.length === 0) return { kind: "ended", reason: REASONS.noSession, row: undefined };
  const reason = REASONS.connectionGone;
  if (!live.some((each) => each.connectionId === connectionId)) return { kind: "ended", reason, row };
  const isForgotten = await forgetIfGone(post, connection, dependencies, signal);
  return isForgotten
    ? { kind: "ended", reason, row: withoutConnection(row, connectionId) }
    : { kind: "failed", reason };
}

/** Why a connection that is still in the table is over. */
export function reasonToEnd(
  { subprotocol, expirationDate, tokenExpiresAt }: Session,
  { subprotocols, now }: Pick<PostToConnectionDependencies, "subprotocols" | "now">,
): string | undefined {
  const nowSeconds = now() / 1000;
  if (tokenExpiresAt !== undefined && tokenExpiresAt <= nowSeconds) return REASONS.tokenExpired;
  // TTL deletion lags by up to about two days, and until then an expired row is returned like any other.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
  if (expirationDate <= nowSeconds) return REASONS.sessionExpired;
  // The stack was switched to the other mode, which this client does not speak.
  return subprotocols.includes(subprotocol) ? undefined : REASONS.subprotocolChanged;
}

/**
 * Makes the client reconnect, with a token that is still valid, which writes a row that has not expired.
 *
 * @returns whether the connection has ended.
 */
async function closeConnection(
  { fields: ids }: Post,
  session: Session,
  reason: string,
  { sessions, connections, now, log }: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const fields = { ...ids, ...fieldsOf(session) };
  try {
    const isYoung = now() - session.connectedAt < YOUNG_CONNECTION_MS;
    const result = await connections.close(session.connectionId, signal);
    log.info(`connection of an expired session ${result}`, { ...fields, reason });
    if (result === "closed") return true;
    // If it is just connecting, it still has to be closed.
    if (isYoung) return false;
    // `$disconnect` is not coming: the row may outlive this connection by those of others.
    await sessions.removeConnection(session, session.connectionId, signal);
    return true;
  } catch (error) {
    log.warn("connection of an expired session not closed", { ...fields, reason, ...errorFields(error) });
    return false;
  }
}

/**
 * The gateway has answered 410 for a live connection: the connection is removed from the row only if `GetConnection` says the
 * same.
 *
 * @returns whether the row no longer has the connection.
 */
async function forgetIfGone(
  { fields: ids }: Post,
  connection: Session,
  dependencies: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const { sessions, log } = dependencies;
  const fields = { ...ids, ...fieldsOf(connection) };
  try {
    if (!(await closeIfGone(connection, fields, dependencies, signal))) return false;
    await sessions.removeConnection(connection, connection.connectionId, signal);
    log.info("removed a connection that is gone", fields);
    return true;
  } catch (error) {
    log.warn("connection kept: it could not be checked", { ...fields, ...errorFields(error) });
    return false;
  }
}

function fieldsOf({ callerId, context, connectionId }: Session): LogFields {
  return { callerId, context, connectionId };
}
