import { newestFirst, type Session, type SessionConnection, type SessionRow } from "./sessionItems";

/** Which connections of a session get its messages: the one that connected last, or each one. */
export type Connections = (typeof CONNECTIONS)[number];
export const CONNECTIONS = ["newest", "all"] as const;

/** The connections of a session that get messages. With more, each batch of messages would read and write larger rows. */
export const MAX_LIVE_CONNECTIONS = 10;

/**
 * Superseded connections are kept so that `disconnectUser` closes them, and that a handshake that fails gives back the places that
 * it took. Of more, the oldest are dropped.
 */
const MAX_SUPERSEDED = 9;

/**
 * A connection lasts up to two hours; the five minutes are for clocks that differ.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */
const MAX_CONNECTION_MS = 7_500_000;

/**
 * How long a handshake may be under way: its connection is "gone" until it opens. A second above the timeout of an
 * integration.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */
export const MAX_HANDSHAKE_MS = 30_000;

/** A row that has another connection. */
export interface WithConnection {
  row: SessionRow;
  /**
   * The connections that have lost their place to it; and those that had lost theirs to one of these, whose handshake may still
   * be under way: it may fail before it tells them.
   */
  superseded: readonly Session[];
}

/** The connections that get the session's messages, the newest first. */
export function liveConnections({ callerId, context, connections }: SessionRow): Session[] {
  return connections.filter(({ supersededBy }) => !supersededBy).map((each) => ({ callerId, context, ...each }));
}

/** Whether a connection that is as new or newer has the session. */
export function isSuperseded({ connectionId, connectedAt }: Session, row: SessionRow | undefined): boolean {
  const [newest] = row ? liveConnections(row) : [];
  return newest !== undefined && newest.connectionId !== connectionId && newest.connectedAt >= connectedAt;
}

/** Whether another connection would take the place of one of them. */
export function isFull(row: SessionRow): boolean {
  return liveConnections(row).length >= MAX_LIVE_CONNECTIONS;
}

/**
 * The row with this connection, and without those that can no longer be open. `superseded` if only the newest connection gets
 * messages, and another one is as new or newer; `full` if ten connections get messages, and none of them can be superseded:
 * a raw client does not know that it was, and connects again.
 *
 * @param gone Ids of connections that have ended.
 */
export function withConnection(
  row: SessionRow | undefined,
  session: Session,
  connections: Connections,
  gone: ReadonlySet<string> = new Set(),
): WithConnection | "superseded" | "full" {
  if (connections === "newest" && isSuperseded(session, row)) return "superseded";
  const { callerId, context, ...own } = session;
  const others = (row?.connections ?? [])
    .filter(({ connectionId }) => connectionId !== own.connectionId && !gone.has(connectionId))
    .filter(({ connectedAt }) => own.connectedAt - connectedAt < MAX_CONNECTION_MS);
  const live = others.filter(({ supersededBy }) => !supersededBy);
  const losing = connections === "newest" ? live : losingOf([own, ...live]);
  if (losing === undefined) return "full";

  const lost = new Set(losing.map(({ connectionId }) => connectionId));
  const marked = others.map((each) =>
    lost.has(each.connectionId) ? { ...each, supersededBy: own.connectionId } : each,
  );
  const superseded = marked.filter(({ supersededBy }) => supersededBy).sort(newestFirst);
  const next = [own, ...marked.filter(({ supersededBy }) => !supersededBy), ...superseded.slice(0, MAX_SUPERSEDED)];
  const opening = losing.filter(({ connectedAt }) => own.connectedAt - connectedAt < MAX_HANDSHAKE_MS);
  const untold = others.filter((each) => opening.some(({ connectionId }) => connectionId === each.supersededBy));
  return {
    row: rowWith({ callerId, context }, next),
    superseded: [...losing, ...untold].map((each) => ({ callerId, context, ...each })),
  };
}

/** The row without this connection; undefined if no other remains. */
export function withoutConnection(row: SessionRow, connectionId: string): SessionRow | undefined {
  const connections = row.connections.filter((each) => each.connectionId !== connectionId);
  return connections.length === 0 ? undefined : { ...row, ...rowWith(row, connections) };
}

/**
 * The row as if this connection, whose handshake has failed, had never been added: those that had lost their place to it have it
 * again, unless another one has taken this connection's own place in the meantime. Undefined if no other connection remains.
 */
export function withoutHandshake(row: SessionRow, connectionId: string): SessionRow | undefined {
  const own = row.connections.find((each) => each.connectionId === connectionId);
  const connections = row.connections.map((each) =>
    own && each.supersededBy === connectionId ? { ...each, supersededBy: own.supersededBy } : each,
  );
  return withoutConnection({ ...row, connections }, connectionId);
}

export function hasConnection({ connections }: SessionRow, connectionId: string): boolean {
  return connections.some((each) => each.connectionId === connectionId);
}

/** Which of the live connections loses its place; undefined if one has to, and none can. */
function losingOf(live: readonly SessionConnection[]): SessionConnection[] | undefined {
  if (live.length <= MAX_LIVE_CONNECTIONS) return [];
  // A client that speaks the protocol takes it for the end, and does not connect again. The newcomer is not one of them.
  const [oldest] = live
    .slice(1)
    .filter(({ subprotocol }) => subprotocol !== undefined)
    .sort(newestFirst)
    .reverse();
  return oldest && [oldest];
}

function rowWith(
  { callerId, context }: Pick<SessionRow, "callerId" | "context">,
  connections: SessionConnection[],
): SessionRow {
  const expirationDate = Math.max(...connections.map((each) => each.expirationDate));
  return { callerId, context, connections: connections.sort(newestFirst), expirationDate };
}
