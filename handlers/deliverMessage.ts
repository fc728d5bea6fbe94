import type { ConnectionsClient } from "./connections";
import { errorFields, type Log } from "./log";
import type { Message } from "./message";
import { REASONS } from "./reasons";
import type { Session, SessionKey } from "./session";
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
    if (!current) return failed(REASONS.noSession);
    // TTL deletion lags by up to about two days, and until then an expired row is returned like any other.
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
    if (current.expirationDate <= now() / 1000) {
      await closeConnection(current, dependencies, signal);
      return failed(REASONS.sessionExpired);
    }

    const { result, detail } = await connections.post(current.connectionId, message.body, signal);
    if (result === "delivered") return { kind: "delivered", session: current };
    if (result === "payload-too-large") return { kind: "undeliverable", reason: REASONS.payloadTooLarge };
    if (result === "forbidden") {
      log.error("configuration error: the function may not post to connections", { detail });
    } else {
      log.info("not posted", { messageId: message.messageId, connectionId: current.connectionId, result, detail });
    }
    if (result !== "gone") return failed(result);

    let latest: Session | undefined;
    try {
      latest = await sessions.read(current, signal);
    } catch (error) {
      log.error("session not read again", { messageId: message.messageId, ...errorFields(error) });
      return failed(signal.aborted ? REASONS.timeout : REASONS.sessionStoreUnavailable);
    }
    if (latest && latest.connectionId === current.connectionId) {
      await forgetIfGone(latest, dependencies, signal);
      return failed(REASONS.connectionGone);
    }
    if (latest && tried === MAX_CONNECTIONS) return failed(REASONS.connectionGone);
    current = latest;
  }
}

/** So that the client comes back, which writes a row that has not expired. */
async function closeConnection(
  session: Session,
  { connections, log }: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<void> {
  try {
    await connections.close(session.connectionId, signal);
    log.info("closed the connection of an expired session", fieldsOf(session));
  } catch (error) {
    log.warn("connection of an expired session not closed", { ...fieldsOf(session), ...errorFields(error) });
  }
}

/** A 410 has been seen for a live connection: the row goes only where the gateway says so twice, in different words. */
async function forgetIfGone(
  session: Session,
  { sessions, connections, now, log }: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<void> {
  if (now() - session.connectedAt < YOUNG_CONNECTION_MS) return;
  try {
    if (!(await connections.isGone(session.connectionId, signal))) return;
    await sessions.deleteIfConnection(session, session.connectionId, signal);
    log.info("deleted the session of a connection that is gone", fieldsOf(session));
  } catch (error) {
    log.warn("session kept: its connection could not be judged", { ...fieldsOf(session), ...errorFields(error) });
  }
}

function failed(reason: string): Outcome {
  return { kind: "failed", reason };
}

function fieldsOf({ callerId, context, connectionId }: SessionKey & { connectionId: string }) {
  return { callerId, context, connectionId };
}
