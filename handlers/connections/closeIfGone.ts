import type { Log, LogFields } from "../log";
import type { SessionConnection } from "../sessions/sessionItems";
import { type ConnectionsClient, YOUNG_CONNECTION_MS } from "./connectionsClient";

export interface CloseIfGoneDependencies {
  connections: Pick<ConnectionsClient, "isGone" | "close">;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/**
 * Whether the connection has ended: it is old enough to be open, and the gateway says that it is gone. It is closed before its
 * session forgets it. If it is alive after all, its client would wait for ever for messages that are no longer sent to it, and
 * `disconnectUser` would not find it. Closed, it connects again.
 *
 * @param fields Name the connection in log lines.
 * @throws if it may be open: the gateway does not answer.
 */
export async function closeIfGone(
  { connectionId, connectedAt }: SessionConnection,
  fields: LogFields,
  { connections, now, log }: CloseIfGoneDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  if (now() - connectedAt < YOUNG_CONNECTION_MS) return false;
  if (!(await connections.isGone(connectionId, signal))) return false;
  const result = await connections.close(connectionId, signal);
  if (result === "closed") log.warn("closed a connection that the gateway had called gone", fields);
  return true;
}
