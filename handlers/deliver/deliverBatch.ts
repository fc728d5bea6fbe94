import pLimit from "p-limit";
import { hasExpired, type Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import { sessionId } from "../sessions/sessionKey";
import { deliverSession, type DeliverSessionDependencies } from "./deliverSession";
import { MAX_PARALLEL_CONNECTIONS, messagesBySession } from "./messagesBySession";
import { type Attempted, NOT_REACHED, type Outcome } from "./outcome";
import { readSessions, type ReadSessionsDependencies } from "./readSessions";

export type DeliverBatchDependencies = DeliverSessionDependencies & ReadSessionsDependencies;

/** Delivers a batch, connections in parallel and each session's messages in order, until `signal` aborts. */
export async function deliverBatch(
  messages: readonly Message[],
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  const outcomes = new Map<Message, Outcome>();
  const groups = messagesBySession(messages, outcomes);
  const sessions = await readSessions(groups, outcomes, dependencies, signal);

  const limit = pLimit(MAX_PARALLEL_CONNECTIONS);
  const delivered = sessions
    ? await Promise.all(
        groups.map(async ({ key, messages }) => {
          const session = { messages, row: sessions.rows.get(sessionId(key)), takenBy: sessions.takenBy, limit };
          return await deliverSession(session, dependencies, signal);
        }),
      )
    : [];

  const attempts = new Map(delivered.flat().map((attempted) => [attempted.message, attempted]));
  return messages.map((message) => {
    const attempted = attempts.get(message) ?? { message, outcome: outcomes.get(message) ?? NOT_REACHED };
    const isOpen = attempted.outcome.kind === "failed" || attempted.outcome.kind === "not-reached";
    // Also if it failed for another reason: the next attempt would fail for this one.
    const isLate = isOpen && hasExpired(message, dependencies.now());
    return isLate ? { ...attempted, outcome: { kind: "undeliverable", reason: REASONS.expired } } : attempted;
  });
}
