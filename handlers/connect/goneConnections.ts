import { closeIfGone, type CloseIfGoneDependencies } from "../connections/closeIfGone";
import { errorFields } from "../log";
import type { Session } from "../sessions/sessionItems";
import { timeLimit } from "../timeLimit";

/** Limits the check: the connecting client waits for it. */
const CHECK_MS = 2_000;

/**
 * Ids of the connections that have ended without a `$disconnect`. Never rejects: a connection that cannot be checked may be open.
 */
export async function goneConnections(
  sessions: readonly Session[],
  dependencies: CloseIfGoneDependencies,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const limit = timeLimit(CHECK_MS, signal);
  const gone = await Promise.all(sessions.map((each) => isGone(each, dependencies, limit)));
  return new Set(sessions.filter((_, index) => gone[index]).map(({ connectionId }) => connectionId));
}

async function isGone(session: Session, dependencies: CloseIfGoneDependencies, signal: AbortSignal): Promise<boolean> {
  const { callerId, context, connectionId } = session;
  const { log } = dependencies;
  const fields = { connectionId, callerId, context };
  try {
    if (!(await closeIfGone(session, fields, dependencies, signal))) return false;
    log.info("removed a connection that is gone", fields);
    return true;
  } catch (error) {
    log.warn("connection kept: it could not be checked", { ...fields, ...errorFields(error) });
    return false;
  }
}
