import type { ConnectionsClient } from "./connectionsClient";
import { errorFields, type Log, type LogFields } from "../log";
import { REASONS } from "../messages/reasons";
import type { Session } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";

export interface PostToSessionDependencies {
  sessions: Pick<SessionStore, "read" | "deleteIfConnection">;
  connections: ConnectionsClient;
  /** What the sessions of this mode have as their `subprotocol`. */
  subprotocol: string | undefined;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** What is to be posted. */
export interface Post {
  text: string;
  /** Whether it is too late for it. @default it never is */
  isLate?: () => boolean;
  /** How it is named in log lines. */
  fields: LogFields;
}

/** What became of a post. */
export type Posted =
  /** The gateway took it. `session` is the row that it was posted by. */
  | { kind: "delivered"; session: Session }
  /** Nobody is there: whoever comes later opens a connection, and writes its session, after the one was read that this rests on. */
  | { kind: "absent"; reason: string }
  /** Someone may be there. */
  | { kind: "failed"; reason: string }
  /** The gateway will never take it. */
  | { kind: "refused"; reason: string }
  /** It was too late for it. */
  | { kind: "late"; reason: string };

/** A client may come back again and again while one message is delivered; the queue has patience for it, one attempt not. */
const MAX_CONNECTIONS = 3;

/** Until `$connect` has returned, POST and `GetConnection` answer 410 for a client that is just arriving. */
const YOUNG_CONNECTION_MS = 60_000;

/** Posts to the connection of a session, following the client where it has reconnected meanwhile. */
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

/** Why a session is over that is still in the table. */
export function reasonToEnd(
  { subprotocol, expirationDate, tokenExpiresAt }: Session,
  { subprotocol: expected, now }: Pick<PostToSessionDependencies, "subprotocol" | "now">,
): string | undefined {
  const nowSeconds = now() / 1000;
  if (tokenExpiresAt !== undefined && tokenExpiresAt <= nowSeconds) return REASONS.tokenExpired;
  // TTL deletion lags by up to about two days, and until then an expired row is returned like any other.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
  if (expirationDate <= nowSeconds) return REASONS.sessionExpired;
  // The stack was switched to the other mode, of which this client would not understand a word.
  return subprotocol === expected ? undefined : REASONS.subprotocolChanged;
}

/**
 * So that the client comes back, with a token that holds, which writes a row that has not expired.
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
    // Where it is just arriving, it has yet to be closed.
    return result === "closed" || !isYoung;
  } catch (error) {
    log.warn("connection of an expired session not closed", { ...fields, reason, ...errorFields(error) });
    return false;
  }
}

/**
 * A 410 has been seen for a live connection: the row goes only where the gateway says so twice, in different words.
 *
 * @returns whether the row is not that connection's any more.
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
    await sessions.deleteIfConnection(session, session.connectionId, signal);
    log.info("deleted the session of a connection that is gone", fields);
  } catch (error) {
    log.warn("session kept: its connection could not be judged", { ...fields, ...errorFields(error) });
    return false;
  }
  try {
    // Should it live all the same, its client would wait for ever for what nobody sends it any more: so it comes back.
    const result = await connections.close(session.connectionId, signal);
    if (result === "closed") log.warn("closed a connection that the gateway had called gone", fields);
  } catch (error) {
    log.warn("connection of a deleted session not closed", { ...fields, ...errorFields(error) });
  }
  return true;
}

function fieldsOf({ callerId, context, connectionId }: Session): LogFields {
  return { callerId, context, connectionId };
}
