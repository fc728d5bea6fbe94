import pLimit from "p-limit";
import type { Cursor } from "../../protocol";
import { claimLimitOfAnInvocation } from "../history/claimKeys";
import { isCovered } from "../history/recovery";
import { errorFields } from "../log";
import { idsOf, type Message } from "../messages/message";
import { stableReason } from "../messages/reasons";
import { METRICS } from "../metrics";
import { sessionId } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";
import { MAX_PARALLEL_CONNECTIONS, messagesBySession } from "./messagesBySession";
import { type Attempted, NOT_REACHED, type Outcome } from "./outcome";
import { postInOrder, type PostInOrderDependencies } from "./postInOrder";
import { readSessions, type ReadSessionsDependencies } from "./readSessions";
import { type StoreDependencies, storeInOrder } from "./storeInOrder";

export interface DeliverReplayBatchDependencies
  extends StoreDependencies, PostInOrderDependencies, ReadSessionsDependencies {
  sessions: PostInOrderDependencies["sessions"] & ReadSessionsDependencies["sessions"];
  history: StoreDependencies["history"] & PostInOrderDependencies["history"];
}

/** For reading a cursor: the time to settle the batch is about to begin. */
const READING_MS = 1_000;

/**
 * Stores a batch and posts it to the clients that are connected, connections in parallel and each session's messages in order,
 * until `signal` aborts.
 */
export async function deliverReplayBatch(
  messages: readonly Message[],
  dependencies: DeliverReplayBatchDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  const outcomes = new Map<Message, Outcome>();
  const limit = pLimit(MAX_PARALLEL_CONNECTIONS);
  const storing = { ...dependencies, claimLimit: claimLimitOfAnInvocation() };
  const groups = await limit.map(messagesBySession(messages, outcomes), async (group) => {
    const numbered = await storeInOrder(group, outcomes, storing, signal);
    return { key: group.key, messages: numbered.map(({ message }) => message), numbered };
  });

  // After storing: a client that connects and resumes before its session is read here finds all of these messages.
  const open = groups.filter(({ numbered }) => numbered.length > 0);
  const sessions = await readSessions(open, outcomes, dependencies, signal);
  const posted = sessions
    ? await Promise.all(
        open.map(async ({ key, numbered }) => {
          const session = { numbered, row: sessions.rows.get(sessionId(key)), takenBy: sessions.takenBy, limit };
          return await postInOrder(session, dependencies, signal);
        }),
      )
    : [];

  const attempts = new Map(posted.flat().map((attempted) => [attempted.message, attempted]));
  const cursors = new Map<Message, Cursor>();
  for (const { message, entry } of groups.flatMap(({ numbered }) => numbered)) {
    cursors.set(message, { epoch: entry.epoch, seq: entry.seq });
  }
  const each = messages.map(async (message) => {
    const attempted = attempts.get(message) ?? { message, outcome: outcomes.get(message) ?? NOT_REACHED };
    const { outcome } = attempted;
    if (outcome.kind === "stored") dependencies.metrics.add(METRICS.stored, 1, stableReason(outcome.reason));
    const cursor = cursors.get(message);
    if (!cursor) return attempted;
    const isTaken = attempted.isTaken ?? (await wasTaken({ message, outcome, cursor }, dependencies));
    return { ...attempted, cursor, ...(isTaken && { isTaken }) };
  });
  return await Promise.all(each);
}

/**
 * Whether a client has a message that would be dead-lettered now: an earlier attempt may have ended before it could tell. Undefined
 * if that is not known.
 */
async function wasTaken(
  { message, outcome, cursor }: { message: Message; outcome: Outcome; cursor: Cursor },
  { history, maxAttempts, log }: DeliverReplayBatchDependencies,
): Promise<true | undefined> {
  const isOpen = outcome.kind === "failed" || outcome.kind === "not-reached";
  if (!isOpen || message.attempt < maxAttempts || !message.key.value) return undefined;
  try {
    const { acknowledged, accepted, skipped } = await history.readCursor(message.key.value, timeLimit(READING_MS));
    const isSkipped =
      skipped && isCovered(cursor, { ...skipped, seq: skipped.through }, undefined) && cursor.seq >= skipped.from;
    const isAccepted = isCovered(cursor, accepted, undefined) && !isSkipped;
    return isAccepted || isCovered(cursor, acknowledged, undefined) || undefined;
  } catch (error) {
    log.error("session's cursor not read", { ...idsOf(message), ...errorFields(error) });
    return undefined;
  }
}
