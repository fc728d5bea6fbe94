import { errorFields, type Log, type LogFields } from "../log";
import { REASONS } from "../messages/reasons";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import type { SessionStore } from "../sessions/sessionStore";
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
   * The connection has ended, and its session's row no longer has it. `row`, read since, has the connections that its client may
   * have opened in the meantime; undefined if there are none.
   */
  | { kind: "ended"; reason: string; row: SessionRow | undefined }
  /** The connection may be open. */
  | { kind: "failed"; reason: string }
  /** The gateway will never accept it. */
  | { kind: "refused"; reason: string }
  /** It has expired. */
  | { kind: "late"; reason: string };

/** Posts to one connection of a session, and removes the connection from the session's row if it has ended. */
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
    return hasEnded ? await endedOf(post, connection, over, dependencies, signal) : { kind: "failed", reason: over };
  }

  const { result, detail } = await connections.post(connection.connectionId, text, signal);
  if (result === "delivered") return { kind: "accepted" };
  if (result === "payload-too-large") return { kind: "refused", reason: result };
  if (result === "forbidden") {
    log.error("configuration error: the function may not post to connections", { ...fields, detail });
  } else {
    log.info("not posted", { ...fields, connectionId: connection.connectionId, result, detail });
  }
  if (result !== "gone") return { kind: "failed", reason: result };
  const ended = await endedOf(post, connection, REASONS.connectionGone, dependencies, signal);
  if (ended.kind === "ended" || !(await forgetIfGone(post, connection, dependencies, signal))) return ended;
  return await endedOf(post, connection, REASONS.connectionGone, dependencies, signal);
}

/** Reads the row again: `$disconnect` or `connect` may have removed the connection, and the client may have opened another. */
async function endedOf(
  { fields }: Post,
  { callerId, context, connectionId }: Session,
  reason: string,
  { sessions, log }: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<Posted> {
  try {
    const row = await sessions.read({ callerId, context }, signal);
    const isLive = row && liveConnections(row).some((each) => each.connectionId === connectionId);
    return isLive ? { kind: "failed", reason } : { kind: "ended", reason, row };
  } catch (error) {
    log.error("session not read again", { ...fields, ...errorFields(error) });
    return { kind: "failed", reason: signal.aborted ? REASONS.timeout : REASONS.sessionStoreUnavailable };
  }
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
    // If it is just connecting, it still has to be closed.
    if (result !== "closed" && isYoung) return false;
    await sessions.removeConnection(session, session.connectionId, signal);
    return true;
  } catch (error) {
    log.warn("connection of an expired session not closed", { ...fields, reason, ...errorFields(error) });
    return false;
  }
}

/**
 * The gateway has answered 410 for a live connection: the connection is removed from the row only if `GetConnection` says the
 * same. It is closed before that: if it is alive after all, its client would wait for ever for messages that are no longer
 * sent to it, and `disconnectUser` would not find it. Closing makes it reconnect.
 *
 * @returns whether the row no longer belongs to that connection.
 */
async function forgetIfGone(
  { fields: ids }: Post,
  session: Session,
  { sessions, connections, now, log }: PostToConnectionDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  if (now() - session.connectedAt < YOUNG_CONNECTION_MS) return false;
  const fields = { ...ids, ...fieldsOf(session) };
  try {
    if (!(await connections.isGone(session.connectionId, signal))) return false;
    const result = await connections.close(session.connectionId, signal);
    if (result === "closed") log.warn("closed a connection that the gateway had called gone", fields);
    await sessions.removeConnection(session, session.connectionId, signal);
    log.info("deleted the session of a connection that is gone", fields);
    return true;
  } catch (error) {
    log.warn("session kept: its connection could not be checked", { ...fields, ...errorFields(error) });
    return false;
  }
}

function fieldsOf({ callerId, context, connectionId }: Session): LogFields {
  return { callerId, context, connectionId };
}
