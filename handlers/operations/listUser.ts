import type { UserConnection } from "../connections/connectionItems";
import type { UserConnections, UserRows } from "../connections/userConnections";
import { checkedCallerId } from "./disconnectUser";

export interface ListedUser extends Omit<UserRows, "connections"> {
  connections: ListedConnection[];
}

export interface ListedConnection extends UserConnection {
  /**
   * Which connection has the session that it was opened for. If not this one, it gets no messages: a newer one has the session,
   * or none has, since a newer one has left.
   */
  session: "own" | "superseded" | "none";
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
  const connectionOf = new Map(sessions.map(({ context, connectionId }) => [context, connectionId]));
  const connections = items.connections.toSorted(newestFirst).map((connection) => ({
    ...connection,
    session: sessionOf(connection, connectionOf.get(connection.context)),
  }));
  return { ...items, sessions, connections };
}

function sessionOf({ connectionId }: UserConnection, holder: string | undefined): ListedConnection["session"] {
  if (holder === undefined) return "none";
  return holder === connectionId ? "own" : "superseded";
}

function newestFirst(a: { connectedAt: number }, b: { connectedAt: number }): number {
  return b.connectedAt - a.connectedAt;
}
