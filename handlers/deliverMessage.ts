import type { ConnectionsClient } from "./connections";
import { errorFields, type Log } from "./log";
import { hasExpired, idsOf, type Message } from "./message";
import { REASONS } from "./reasons";
import type { Session } from "./session";
import type { SessionStore } from "./sessions";

export interface DeliverMessageDependencies {
  sessions: SessionStore;
  connections: ConnectionsClient;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** What became of a message, and so what is to be done with it. */
export type Outcome =
  /** The queue is done with it. `session` is the row that it was delivered by, for the session's next message. */
  | { kind: "delivered"; session: Session }
  /** It can never succeed. */
  | { kind: "undeliverable"; reason: string }
  /** To be tried again later. */
  | { kind: "failed"; reason: string }
  /** Time was up before anything was tried. */
  | { kind: "not-reached"; reason: string };

/** A client may come back again and again while one message is delivered; the queue has patience for it, one attempt not. */
const MAX_CONNECTIONS = 3;

/** Until `$connect` has returned, POST and `GetConnection` answer 410 for a client that is just arriving. */
const YOUNG_CONNECTION_MS = 60_000;

/** Delivers one message to the connection of its session, following the client where it has reconnected meanwhile. */
export async function deliverMessage(
  message: Message,
  session: Session | undefined,
  dependencies: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<Outcome> {
  const { sessions, connections, now, log } = dependencies;
  let current = session;
  for (let tried = 1; ; tried++) {
    if (hasExpired(message, now())) return { kind: "undeliverable", reason: REASONS.expired };
    if (!current) return failed(REASONS.noSession);
    const over = reasonToEnd(current, now());
    if (over) {
      await closeConnection(message, current, over, dependencies, signal);
      return failed(over);
    }

    const { result, detail } = await connections.post(current.connectionId, message.body, signal);
    if (result === "delivered") return { kind: "delivered", session: current };
    if (result === "payload-too-large") return { kind: "undeliverable", reason: REASONS.payloadTooLarge };
    if (result === "forbidden") {
      log.error("configuration error: the function may not post to connections", { ...idsOf(message), detail });
    } else {
      log.info("not posted", { ...idsOf(message), connectionId: current.connectionId, result, detail });
    }
    if (result !== "gone") return failed(result);

    let latest: Session | undefined;
    try {
      latest = await sessions.read(current, signal);
    } catch (error) {
      log.error("session not read again", { ...idsOf(message), ...errorFields(error) });
      return failed(signal.aborted ? REASONS.timeout : REASONS.sessionStoreUnavailable);
    }
    if (latest && latest.connectionId === current.connectionId) {
      await forgetIfGone(message, latest, dependencies, signal);
      return failed(REASONS.connectionGone);
    }
    if (latest && tried === MAX_CONNECTIONS) return failed(REASONS.connectionGone);
    current = latest;
  }
}

/** Why a session is over that is still in the table. */
function reasonToEnd({ expirationDate, tokenExpiresAt }: Session, nowMs: number): string | undefined {
  if (tokenExpiresAt !== undefined && tokenExpiresAt <= nowMs / 1000) return REASONS.tokenExpired;
  // TTL deletion lags by up to about two days, and until then an expired row is returned like any other.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
  return expirationDate <= nowMs / 1000 ? REASONS.sessionExpired : undefined;
}

/** So that the client comes back, with a token that holds, which writes a row that has not expired. */
async function closeConnection(
  message: Message,
  session: Session,
  reason: string,
  { connections, log }: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<void> {
  const fields = fieldsOf(message, session);
  try {
    const result = await connections.close(session.connectionId, signal);
    log.info(`connection of an expired session ${result}`, { ...fields, reason });
  } catch (error) {
    log.warn("connection of an expired session not closed", { ...fields, reason, ...errorFields(error) });
  }
}

/** A 410 has been seen for a live connection: the row goes only where the gateway says so twice, in different words. */
async function forgetIfGone(
  message: Message,
  session: Session,
  { sessions, connections, now, log }: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<void> {
  if (now() - session.connectedAt < YOUNG_CONNECTION_MS) return;
  const fields = fieldsOf(message, session);
  try {
    if (!(await connections.isGone(session.connectionId, signal))) return;
    await sessions.deleteIfConnection(session, session.connectionId, signal);
    log.info("deleted the session of a connection that is gone", fields);
  } catch (error) {
    log.warn("session kept: its connection could not be judged", { ...fields, ...errorFields(error) });
  }
}

function failed(reason: string): Outcome {
  return { kind: "failed", reason };
}

function fieldsOf(message: Message, { callerId, context, connectionId }: Session) {
  return { ...idsOf(message), callerId, context, connectionId };
}
