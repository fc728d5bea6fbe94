import type { ConnectionLookups } from "../connections/connectionLookups";
import type { UserConnections } from "../connections/userConnections";
import { errorFields, type Log } from "../log";
import type { Session } from "../sessions/sessionItems";
import {
  type Connections,
  isFull,
  liveConnections,
  withConnection,
  withoutConnection,
  withoutHandshake,
} from "../sessions/sessionRow";
import type { ReadForConnect, Saved, SessionStore } from "../sessions/sessionStore";
import { unlessAborted } from "../timeLimit";
import { type Refusal, refusals } from "./refusals";

export interface AdmitDependencies {
  sessions: Pick<SessionStore, "readForConnect" | "save" | "removeConnection">;
  userConnections: Pick<UserConnections, "blockedUntil">;
  lookups: Pick<ConnectionLookups, "add" | "remove">;
  /** Which connections of a session get its messages. */
  connectionsOfSession: Connections;
  /** Whether `onAdmitted` needs the session's marker. @default false */
  readsMarker?: boolean;
  /**
   * The ids of those that have ended: asked before a connection has to give its place to another one. Never rejects.
   * @default none has
   */
  findGone?: (sessions: readonly Session[], signal: AbortSignal) => Promise<ReadonlySet<string>>;
  /**
   * Called once the connection is saved. If it rejects, the connection is removed again, and those whose places it took have
   * them again: it must not have told these by then. @default does nothing
   */
  onAdmitted?: (admitted: Admitted, signal: AbortSignal) => Promise<void>;
  now: () => number;
  log: Log;
}

/** A connection that was saved, and the connections to tell that they have lost their place to it. */
export interface Admitted extends Saved, Pick<ReadForConnect, "markedUntil"> {
  session: Session;
}

/** Limits the cleanup: a table that does not respond must not cost the handshake its answer as well. */
export const CLEAN_UP_MS = 3_000;

/**
 * Saves the connection's lookup and its session, unless the user is blocked or the session has no place for the connection.
 *
 * The order ensures that `disconnectUser` misses no connection. It writes its block before it lists the user's rows. If it
 * lists this session's row after the row was written here, the row names this connection: every other writer replaces the
 * row only as it has just read it, and keeps the connections that may be open. If it lists the row before, the block was
 * there even earlier, and the second read of the block here finds it.
 *
 * The lookup is written before the row: as soon as the row exists, messages are sent, and frames, `$disconnect` and the
 * session sweeper must find it. A crash between the two leaves a lookup that names a session without this connection; the
 * table's TTL deletes it.
 *
 * If a step after the row was written fails, the clients whose places were taken are still connected, and know nothing of it:
 * they get their places back. If the user was blocked in the meantime, they do not: `disconnectUser` closes them.
 *
 * @param signal Limits all of it but the cleanup.
 * @returns why the connection is not admitted
 */
export async function admit(
  session: Session,
  dependencies: AdmitDependencies,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  const { sessions, userConnections, lookups, connectionsOfSession, readsMarker, findGone, now } = dependencies;
  const isBlock = (until = 0) => until * 1000 > now();

  const { row, blockedUntil, markedUntil } = await sessions.readForConnect(session, { readsMarker, signal });
  if (isBlock(blockedUntil)) return refusals.userBlocked();
  const isCrowded = connectionsOfSession === "all" && row !== undefined && isFull(row);
  const gone = isCrowded ? await findGone?.(liveConnections(row), signal) : undefined;
  const next = withConnection(row, session, connectionsOfSession, gone);
  if (typeof next === "string") return refusalOf(next);
  let refused = refusals.userBlocked();
  try {
    const { callerId, context, connectionId, connectedAt, expirationDate, tokenExpiresAt } = session;
    const ending = tokenExpiresAt !== undefined && { tokenExpiresAt };
    const lookup = { connectionId, connectedAt, expirationDate, ...ending, session: { callerId, context } };
    await lookups.add(lookup, signal);
    const saved = await sessions.save(session, connectionsOfSession, row, gone, signal);
    if (typeof saved === "string") refused = refusalOf(saved);
    else if (!isBlock(await userConnections.blockedUntil(callerId, signal))) {
      await dependencies.onAdmitted?.({ ...saved, session, markedUntil }, signal);
      return undefined;
    }
  } catch (error) {
    // A write that failed may have taken effect.
    await cleanUp(session, dependencies, withoutHandshake);
    throw error;
  }
  await cleanUp(session, dependencies, withoutConnection);
  return refused;
}

function refusalOf(reason: "superseded" | "full"): Refusal {
  return reason === "full" ? refusals.tooManyConnections() : refusals.superseded();
}

/** Never rejects: the handshake's answer does not change, and the table's TTL deletes what is left over. */
async function cleanUp(
  { callerId, context, connectionId }: Session,
  { sessions, lookups, log }: AdmitDependencies,
  without: typeof withoutConnection,
): Promise<void> {
  const signal = AbortSignal.timeout(CLEAN_UP_MS);
  const removed = await Promise.allSettled([
    // The SDK does not stop the pause before a retry.
    unlessAborted(sessions.removeConnection({ callerId, context }, connectionId, signal, without), signal),
    unlessAborted(lookups.remove(connectionId, signal), signal),
  ]);
  for (const result of removed) {
    if (result.status === "fulfilled") continue;
    log.error("not cleaned up", { connectionId, callerId, context, ...errorFields(result.reason) });
  }
}
