import type { ListedUser } from "../../handlers/operations/listUser";

/** A connection in the session table. */
export interface ListedSession {
  /**
   * A `superseded` connection may be open, but receives nothing: a newer one has its session. A connection
   * `without-session` receives nothing either: a newer one had the session and ended.
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

/** A user's connections in the table, in the same order. */
export function listedOf(
  { connections, blockedUntil }: ListedUser,
  now: Date,
): { sessions: ListedSession[]; blockedUntil?: string } {
  const nowSeconds = now.getTime() / 1000;
  return {
    sessions: connections.map(({ context, connectionId, connectedAt, expirationDate, tokenExpiresAt, session }) => ({
      state: Math.min(expirationDate, tokenExpiresAt ?? Infinity) <= nowSeconds ? "expired" : STATES[session],
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
