import { type Superseded, SUBPROTOCOLS } from "../../protocol";
import type { ConnectionsClient } from "../connections/connectionsClient";
import { errorFields, type Log } from "../log";
import type { Session } from "../sessions/sessionItems";

export interface EndSupersededDependencies {
  connections: Pick<ConnectionsClient, "post" | "close">;
  /** Whether clients that speak the protocol are told. */
  notifies: boolean;
  /** Whether the connections are closed as well. */
  closes: boolean;
  log: Log;
}

/**
 * Limits each of the two calls: the connecting client must not wait for a connection that may be gone. They have the time that
 * is reserved for the cleanup, which is no longer needed.
 */
const CALL_MS = 1_000;

/**
 * Tells connections that another one has taken their place, and closes them, as far as asked. Never rejects: the handshake
 * does not depend on it, and they get no more messages in any case.
 */
export async function endSuperseded(
  superseded: readonly Session[],
  dependencies: EndSupersededDependencies,
): Promise<void> {
  await Promise.all(superseded.map((each) => endOne(each, dependencies)));
}

async function endOne(session: Session, dependencies: EndSupersededDependencies): Promise<void> {
  // A raw client would take the notice for a message.
  if (dependencies.notifies && session.subprotocol === SUBPROTOCOLS.v1) await notify(session, dependencies);
  if (dependencies.closes) await close(session, dependencies);
}

async function notify(session: Session, { connections, log }: EndSupersededDependencies): Promise<void> {
  const notice: Superseded = { type: "superseded" };
  const text = JSON.stringify(notice);
  const { result, detail } = await connections.post(session.connectionId, text, AbortSignal.timeout(CALL_MS));
  if (result === "delivered") log.info("superseded", fieldsOf(session));
  // The connection is often gone: that is why its client has reconnected.
  else log.info("superseded connection not notified", { ...fieldsOf(session), result, detail });
}

async function close(session: Session, { connections, log }: EndSupersededDependencies): Promise<void> {
  try {
    const result = await connections.close(session.connectionId, AbortSignal.timeout(CALL_MS));
    log.info(`superseded connection ${result}`, fieldsOf(session));
  } catch (error) {
    log.warn("superseded connection not closed", { ...fieldsOf(session), ...errorFields(error) });
  }
}

function fieldsOf({ connectionId, callerId, context }: Session) {
  return { connectionId, callerId, context };
}
