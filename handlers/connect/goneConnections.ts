import { type ConnectionsClient, YOUNG_CONNECTION_MS } from "../connections/connectionsClient";
import { errorFields, type Log } from "../log";
import type { Session } from "../sessions/sessionItems";

export interface GoneDependencies {
  connections: Pick<ConnectionsClient, "isGone" | "close">;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** Limits the check: the connecting client waits for it. */
const CHECK_MS = 2_000;

/**
 * Ids of the connections that have ended without a `$disconnect`. Never rejects: a connection that cannot be checked may be open.
 */
export async function goneConnections(
  sessions: readonly Session[],
  dependencies: GoneDependencies,
): Promise<ReadonlySet<string>> {
  const signal = AbortSignal.timeout(CHECK_MS);
  const gone = await Promise.all(sessions.map((each) => isGone(each, dependencies, signal)));
  return new Set(sessions.filter((_, index) => gone[index]).map(({ connectionId }) => connectionId));
}

async function isGone(
  { callerId, context, connectionId, connectedAt }: Session,
  { connections, now, log }: GoneDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  if (now() - connectedAt < YOUNG_CONNECTION_MS) return false;
  const fields = { connectionId, callerId, context };
  try {
    if (!(await connections.isGone(connectionId, signal))) return false;
    // If it is open after all, its client would wait for messages that are no longer sent to it. Closed, it connects again.
    const result = await connections.close(connectionId, signal);
    if (result === "closed") log.warn("closed a connection that the gateway had called gone", fields);
    log.info("removed a connection that is gone", fields);
    return true;
  } catch (error) {
    log.warn("connection kept: it could not be checked", { ...fields, ...errorFields(error) });
    return false;
  }
}
