import { errorFields, type Log, type LogFields } from "../log";
import { REASONS } from "../messages/reasons";
import type { Session } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";
import { type ConnectionsClient, YOUNG_CONNECTION_MS } from "./connectionsClient";

export interface PostToSessionDependencies {
  sessions: Pick<SessionStore, "read" | "removeConnection">;
  connections: ConnectionsClient;
  /** The `subprotocol` of this mode's sessions. */
  subprotocol: string | undefined;
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

/** The outcome of a post. */
export type Posted =
  /** The gateway accepted it. `session` is the row that it was posted by. */
  | { kind: "delivered"; session: Session }
  /** No client is connected: a client that connects later writes its session after this one was read. */
  | { kind: "absent"; reason: string }
  /** A client may be connected. */
  | { kind: "failed"; reason: string }
  /** The gateway will never accept it. */
  | { kind: "refused"; reason: string }
  /** It has expired. */
  | { kind: "late"; reason: string };

/** A client may reconnect again and again while one message is delivered: the queue waits for it, a single attempt does not. */
const MAX_CONNECTIONS = 3;

/** Posts to the connection of a session, following the client if it has reconnected meanwhile. */
export async function postToSession(
  post: Post,
  session: Session | undefined,
  dependencies: PostToSessionDependencies,
  signal: AbortSignal,
): Promise<Posted> {
  const { sessions, connections, log } = dependencies;
  const { text, isLate, fields } = post;
  let current = session;
  for (let tried = 1; ; tried++) {
    if (isLate?.()) return { kind: "late", reason: REASONS.expired };
    if (!current) return { kind: "absent", reason: REASONS.noSession };
    const over = reasonToEnd(current, dependencies);
    if (over) {
      const hasEnded = await closeConnection(post, current, over, dependencies, signal);
      return { kind: hasEnded ? "absent" : "failed", reason: over };
    }

    const { result, detail } = await connections.post(current.connectionId, text, signal);
    if (result === "delivered") return { kind: "delivered", session: current };
    if (result === "payload-too-large") return { kind: "refused", reason: result };
    if (result === "forbidden") {
      log.error("configuration error: the function may not post to connections", { ...fields, detail });
    } else {
      log.info("not posted", { ...fields, connectionId: current.connectionId, result, detail });
    }
    if (result !== "gone") return { kind: "failed", reason: result };

    let latest: Session | undefined;
    try {
      latest = await sessions.read(current, signal);
    } catch (error) {
      log.error("session not read again", { ...fields, ...errorFields(error) });
      return { kind: "failed", reason: signal.aborted ? REASONS.timeout : REASONS.sessionStoreUnavailable };
    }
    if (latest && latest.connectionId === current.connectionId) {
      const isForgotten = await forgetIfGone(post, latest, dependencies, signal);
      return { kind: isForgotten ? "absent" : "failed", reason: REASONS.connectionGone };
    }
    if (latest && tried === MAX_CONNECTIONS) return { kind: "failed", reason: REASONS.connectionGone };
    current = latest;
  }
}

/** Why a session that is still in the table is over. */
export function reasonToEnd(
  { subprotocol, expirationDate, tokenExpiresAt }: Session,
  { subprotocol: expected, now }: Pick<PostToSessionDependencies, "subprotocol" | "now">,
): string | undefined {
  const nowSeconds = now() / 1000;
  if (tokenExpiresAt !== undefined && tokenExpiresAt <= nowSeconds) return REASONS.tokenExpired;
  // TTL deletion lags by up to about two days, and until then an expired row is returned like any other.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
  if (expirationDate <= nowSeconds) return REASONS.sessionExpired;
  // The stack was switched to the other mode, which this client does not speak.
  return subprotocol === expected ? undefined : REASONS.subprotocolChanged;
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
  { connections, now, log }: PostToSessionDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const fields = { ...ids, ...fieldsOf(session) };
  try {
    const isYoung = now() - session.connectedAt < YOUNG_CONNECTION_MS;
    const result = await connections.close(session.connectionId, signal);
    log.info(`connection of an expired session ${result}`, { ...fields, reason });
    // If it is just connecting, it still has to be closed.
    return result === "closed" || !isYoung;
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
  { sessions, connections, now, log }: PostToSessionDependencies,
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
