import type { ListedUser } from "../../handlers/operations/listUser";

/** A connection that the table knows. */
export interface ListedSession {
  /**
   * A superseded connection may be open, and gets nothing: a newer one has its session. No more does one without a session: a
   * newer one had it and left, or the connection is gone, or only just opening.
   */
  state: "current" | "superseded" | "without-session" | "expired";
  context: string;
  contextId: string;
  connectionId: string;
  connectedAt: string;
  expiresAt: string;
  tokenExpiresAt?: string;
}

const STATES = { own: "current", superseded: "superseded", none: "without-session" } as const;

/** What the table has of a user, one entry a connection, newest first. */
export function listedOf(
  { sessions, connections, blockedUntil }: ListedUser,
  now: Date,
): { sessions: ListedSession[]; blockedUntil?: string } {
  const nowSeconds = now.getTime() / 1000;
  const known = new Set(connections.map(({ connectionId }) => connectionId));
  const all = [
    ...connections.map((connection) => ({ ...connection, context: connection.sessionContext })),
    // Saved by a release that knew sessions alone.
    ...sessions
      .filter(({ connectionId }) => !known.has(connectionId))
      .map((session) => ({ ...session, session: "own" as const })),
  ].sort((a, b) => b.connectedAt - a.connectedAt);
  return {
    sessions: all.map(({ context, connectionId, connectedAt, expirationDate, tokenExpiresAt, session }) => ({
      state: Math.min(expirationDate, tokenExpiresAt ?? Infinity) <= nowSeconds ? "expired" : STATES[session],
      // A context has no #, a contextId may have.
      context: context.slice(0, context.indexOf("#")),
      contextId: context.slice(context.indexOf("#") + 1),
      connectionId,
      connectedAt: new Date(connectedAt).toISOString(),
      expiresAt: isoOf(expirationDate),
      ...(tokenExpiresAt !== undefined && { tokenExpiresAt: isoOf(tokenExpiresAt) }),
    })),
    // A block that has ended stands there until the table's expiry deletes it.
    ...(blockedUntil !== undefined && blockedUntil > nowSeconds && { blockedUntil: isoOf(blockedUntil) }),
  };
}

export function isoOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
