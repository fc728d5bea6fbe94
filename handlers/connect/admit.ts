import { connectionItemKey } from "../connections/connectionItems";
import { connectionLookupKey, type ConnectionLookups } from "../connections/connectionLookups";
import type { UserConnections } from "../connections/userConnections";
import { errorFields, type Log } from "../log";
import type { Session } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import type { SessionStore } from "../sessions/sessionStore";
import { type Refusal, refusals } from "./refusals";

export interface AdmitDependencies {
  sessions: Pick<SessionStore, "save" | "deleteIfConnection">;
  userConnections: Pick<UserConnections, "add" | "blockedUntil">;
  /** Only in replay mode: a frame has to find its session. */
  lookups?: Pick<ConnectionLookups, "add">;
  now: () => number;
  log: Log;
}

/** Why the connection was not admitted; or the session that it took over, if there was one. */
export type Admission = { refused: Refusal } | { refused?: undefined; replaced: Session | undefined };

/** Limits the cleanup: a table that does not respond must not cost the handshake its answer as well. */
const CLEAN_UP_MS = 3_000;

/**
 * Saves connection and session, unless the user is blocked or a newer connection has the session.
 *
 * The order ensures that `disconnectUser` misses no connection. It writes its block before it lists the user's connections, so
 * either the second read of the block here finds it, or the connection's item was there when the connections were listed.
 * The lookup is written before the session: as soon as the session exists, messages are sent and frames must find it.
 */
export async function admit(session: Session, dependencies: AdmitDependencies): Promise<Admission> {
  const { sessions, userConnections, lookups, now } = dependencies;
  const ownKeys = [connectionItemKey(session), ...(lookups ? [connectionLookupKey(session.connectionId)] : [])];
  const isBlocked = async () => ((await userConnections.blockedUntil(session.callerId)) ?? 0) * 1000 > now();

  if (await isBlocked()) return { refused: refusals.userBlocked() };
  try {
    await addConnection(session, userConnections, lookups);
    const saved = await sessions.save(session);
    if (saved === "superseded") {
      await cleanUp(ownKeys, session.connectionId, dependencies);
      return { refused: refusals.superseded() };
    }
    if (!(await isBlocked())) return { replaced: saved.replaced };
  } catch (error) {
    // A write that failed may have taken effect.
    await cleanUp([session, ...ownKeys], session.connectionId, dependencies);
    throw error;
  }
  await cleanUp([session, ...ownKeys], session.connectionId, dependencies);
  return { refused: refusals.userBlocked() };
}

async function addConnection(
  { callerId, context, connectionId, connectedAt, expirationDate, tokenExpiresAt }: Session,
  userConnections: AdmitDependencies["userConnections"],
  lookups: AdmitDependencies["lookups"],
): Promise<void> {
  const connection = { connectionId, connectedAt, expirationDate };
  const ending = tokenExpiresAt !== undefined && { tokenExpiresAt };
  const added = await Promise.allSettled([
    userConnections.add({ ...connection, callerId, sessionContext: context, ...ending }),
    lookups?.add({ ...connection, session: { callerId, context } }),
  ]);
  // Both have settled: nothing is written after the cleanup.
  for (const result of added) if (result.status === "rejected") throw result.reason;
}

/** Never rejects: the handshake's answer does not change, and the table's TTL deletes what is left over. */
async function cleanUp(
  keys: readonly SessionKey[],
  connectionId: string,
  { sessions, log }: AdmitDependencies,
): Promise<void> {
  const signal = AbortSignal.timeout(CLEAN_UP_MS);
  await Promise.all(
    keys.map(async ({ callerId, context }) => {
      try {
        await sessions.deleteIfConnection({ callerId, context }, connectionId, signal);
      } catch (error) {
        log.error("not cleaned up", { connectionId, callerId, context, ...errorFields(error) });
      }
    }),
  );
}
