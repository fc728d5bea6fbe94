import type { UserConnection } from "../connections/connectionItems";
import type { UserConnections, UserRows } from "../connections/userConnections";
import { checkedCallerId } from "./disconnectUser";

export interface ListedUser extends Omit<UserRows, "connections"> {
  connections: ListedConnection[];
}

export interface ListedConnection extends Omit<UserConnection, "superseded"> {
  /**
   * A `live` connection gets the session's messages. The others get none: others have taken the place of a `superseded` one,
   * and where these have left as well, it is `without-session`.
   */
  state: "live" | "superseded" | "without-session";
}

/**
 * A user's sessions and connections, the newest first, as in the table: a connection may have ended already.
 *
 * @throws if no user can have that code, or if the table fails.
 */
export async function listUser(
  userConnections: Pick<UserConnections, "listByUser">,
  code: string,
  signal?: AbortSignal,
): Promise<ListedUser> {
  const items = await userConnections.listByUser(checkedCallerId(code), signal);
  const sessions = items.sessions.toSorted(newestFirst);
  const withSession = new Set(sessions.map(({ context }) => context));
  const connections = items.connections.toSorted(newestFirst).map(({ superseded, ...connection }) => ({
    ...connection,
    state: stateOf(superseded, withSession.has(connection.context)),
  }));
  return { ...items, sessions, connections };
}

function stateOf(superseded: boolean | undefined, hasSession: boolean): ListedConnection["state"] {
  if (!superseded) return "live";
  return hasSession ? "superseded" : "without-session";
}

function newestFirst(a: { connectedAt: number }, b: { connectedAt: number }): number {
  return b.connectedAt - a.connectedAt;
}
