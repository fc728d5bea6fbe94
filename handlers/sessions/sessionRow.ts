import type { Session, SessionRow } from "./sessionItems";

/** Of more, the oldest superseded ones are dropped: a row stays small, since each batch of messages reads it. */
const MAX_CONNECTIONS = 10;

/**
 * A connection lasts up to two hours; the five minutes are for clocks that differ.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */
const MAX_CONNECTION_MS = 7_500_000;

/** Whether a connection that is as new or newer has the session. */
export function isSuperseded({ connectionId, connectedAt }: Session, row: SessionRow | undefined): boolean {
  const newest = row?.session;
  return newest !== undefined && newest.connectionId !== connectionId && newest.connectedAt >= connectedAt;
}

/** The row with this session as the newest, and without connections that can no longer be open. */
export function withConnection(row: SessionRow | undefined, session: Session): SessionRow {
  const { callerId, context, expirationDate, ...newest } = session;
  const superseded = (row?.connections ?? [])
    .filter(({ connectionId }) => connectionId !== newest.connectionId)
    .filter(({ connectedAt }) => newest.connectedAt - connectedAt < MAX_CONNECTION_MS)
    .toSorted((a, b) => b.connectedAt - a.connectedAt)
    .slice(0, MAX_CONNECTIONS - 1);
  return { callerId, context, session, connections: [newest, ...superseded], expirationDate };
}

/** The row without this connection; undefined if no other remains. */
export function withoutConnection(row: SessionRow, connectionId: string): SessionRow | undefined {
  const { session, ...rest } = row;
  const connections = row.connections.filter((each) => each.connectionId !== connectionId);
  if (connections.length === 0) return undefined;
  return { ...rest, ...(session && session.connectionId !== connectionId && { session }), connections };
}

export function hasConnection({ connections }: SessionRow, connectionId: string): boolean {
  return connections.some((each) => each.connectionId === connectionId);
}
