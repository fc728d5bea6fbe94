import { connectionLookupKey, type ConnectionLookups } from "../connections/connectionLookups";
import { errorFields, type Log } from "../log";
import { type Refusal, refusals } from "./refusals";
import type { SessionKey } from "../sessions/sessionKey";
import type { Session } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";
import { connectionItemKey } from "../connections/connectionItems";
import type { UserConnections } from "../connections/userConnections";

export interface AdmitDependencies {
  sessions: Pick<SessionStore, "save" | "deleteIfConnection">;
  userConnections: Pick<UserConnections, "add" | "blockedUntil">;
  /** Only where a frame has to find its session. */
  lookups?: Pick<ConnectionLookups, "add">;
  now: () => number;
  log: Log;
}

/** Why nothing stands of the connection; or the session that it took over, if there was one. */
export type Admission = { refused: Refusal } | { refused?: undefined; replaced: Session | undefined };

/** Of the function's time: a table that does not answer must not cost the handshake its answer too. */
const CLEAN_UP_MS = 3_000;

/**
 * Saves connection and session, unless the user is blocked or a newer connection has the session.
 *
 * The order is what makes `disconnectUser` miss nobody: it writes its block before it lists the user's connections. So
 * either the block stands when it is read here for the second time, or the connection's item stood when they were listed.
 * Once the session stands, messages are sent to the connection, and its frames are to find it: the lookup stands before.
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
    // What failed may have been written all the same.
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
  // Both have come to an end: nothing is written any more when it is cleaned up.
  for (const result of added) if (result.status === "rejected") throw result.reason;
}

/** Never rejects: the handshake's answer stands, and what is left over goes with the table's expiry. */
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
