import { errorFields, type Log } from "./log";
import { type Refusal, refusals } from "./refusals";
import type { Session, SessionKey } from "./session";
import type { SessionStore } from "./sessions";
import { connectionItemKey } from "./userConnection";
import type { UserConnections } from "./userConnections";

export interface AdmitDependencies {
  sessions: Pick<SessionStore, "save" | "deleteIfConnection">;
  userConnections: Pick<UserConnections, "add" | "blockedUntil">;
  now: () => number;
  log: Log;
}

/** Of the function's time: a table that does not answer must not cost the handshake its answer too. */
const CLEAN_UP_MS = 3_000;

/**
 * Saves connection and session, unless the user is blocked or a newer connection has the session.
 *
 * The order is what makes `disconnectUser` miss nobody: it writes its block before it lists the user's connections. So
 * either the block stands when it is read here for the second time, or the connection's item stood when they were listed.
 */
export async function admit(session: Session, dependencies: AdmitDependencies): Promise<Refusal | undefined> {
  const { sessions, userConnections, now } = dependencies;
  const { context: sessionContext, ...connection } = session;
  const connectionKey = connectionItemKey(connection);
  const isBlocked = async () => ((await userConnections.blockedUntil(session.callerId)) ?? 0) * 1000 > now();

  if (await isBlocked()) return refusals.userBlocked();
  try {
    await userConnections.add({ ...connection, sessionContext });
    if ((await sessions.save(session)) === "superseded") {
      await cleanUp([connectionKey], session.connectionId, dependencies);
      return refusals.superseded();
    }
    if (!(await isBlocked())) return undefined;
  } catch (error) {
    // What failed may have been written all the same.
    await cleanUp([session, connectionKey], session.connectionId, dependencies);
    throw error;
  }
  await cleanUp([session, connectionKey], session.connectionId, dependencies);
  return refusals.userBlocked();
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
