import type { ListedUser } from "../../handlers/operations/listUser";

/** A connection in the session table. */
export interface ListedSession {
  /**
   * A `live` connection receives the session's messages. A `superseded` one may be open, but receives nothing: others have
   * taken its place. A connection `without-session` receives nothing either: the others have ended.
   */
  state: "live" | "superseded" | "without-session" | "expired";
  context: string;
  contextId: string;
  connectionId: string;
  connectedAt: string;
  expiresAt: string;
  tokenExpiresAt?: string;
}

/** A user's connections in the table, in the same order. */
export function listedOf(
  { connections, blockedUntil }: ListedUser,
  now: Date,
): { sessions: ListedSession[]; blockedUntil?: string } {
  const nowSeconds = now.getTime() / 1000;
  return {
    sessions: connections.map(({ context, connectionId, connectedAt, expirationDate, tokenExpiresAt, state }) => ({
      state: Math.min(expirationDate, tokenExpiresAt ?? Infinity) <= nowSeconds ? "expired" : state,
      // A context has no #, but a contextId may have one.
      context: context.slice(0, context.indexOf("#")),
      contextId: context.slice(context.indexOf("#") + 1),
      connectionId,
      connectedAt: new Date(connectedAt).toISOString(),
      expiresAt: isoOf(expirationDate),
      ...(tokenExpiresAt !== undefined && { tokenExpiresAt: isoOf(tokenExpiresAt) }),
    })),
    // An expired block remains until the table's TTL deletes it.
    ...(blockedUntil !== undefined && blockedUntil > nowSeconds && { blockedUntil: isoOf(blockedUntil) }),
  };
}

export function isoOf(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
