import { checkedCallerId } from "./disconnectUser";
import type { UserConnection } from "../connections/connectionItems";
import type { UserConnections, UserItems } from "../connections/userConnections";

export interface ListedUser extends Omit<UserItems, "connections"> {
  connections: ListedConnection[];
}

export interface ListedConnection extends UserConnection {
  /**
   * Whose the session is for which it was opened. Where it is not its own, it is mute: a newer one has the session, or nobody has
   * any more (a newer one had it and left, or this one is found to be gone), or not yet, while its handshake is under way.
   */
  session: "own" | "superseded" | "none";
}

/**
 * A user's sessions and connections, the newest first, as they stand in the table: a connection may have ended all the same.
 *
 * @throws where no user can have that code, and where the table fails.
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
    session: sessionOf(connection, connectionOf.get(connection.sessionContext)),
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
