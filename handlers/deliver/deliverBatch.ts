import pLimit from "p-limit";
import { errorFields } from "../log";
import { ageMs, hasExpired, idsOf, type Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import { METRICS, type Metrics } from "../metrics";
import type { SessionRow } from "../sessions/sessionItems";
import { sessionId } from "../sessions/sessionKey";
import type { SessionStore } from "../sessions/sessionStore";
import { deliverMessage, type DeliverMessageDependencies } from "./deliverMessage";
import { MAX_PARALLEL_SESSIONS, messagesBySession } from "./messagesBySession";
import { type Attempted, NOT_REACHED, type Outcome } from "./outcome";
import { readSessions } from "./readSessions";

export interface DeliverBatchDependencies extends DeliverMessageDependencies {
  sessions: SessionStore;
  metrics: Metrics;
}

/** Delivers a batch, sessions in parallel and each session's messages in order, until `signal` aborts. */
export async function deliverBatch(
  messages: readonly Message[],
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  const outcomes = await outcomesOf(messages, dependencies, signal);
  return messages.map((message) => {
    const outcome = outcomes.get(message) ?? NOT_REACHED;
    const isOpen = outcome.kind === "failed" || outcome.kind === "not-reached";
    // Also if it failed for another reason: the next attempt would fail for this one.
    const isLate = isOpen && hasExpired(message, dependencies.now());
    return { message, outcome: isLate ? { kind: "undeliverable", reason: REASONS.expired } : outcome };
  });
}

async function outcomesOf(
  messages: readonly Message[],
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Map<Message, Outcome>> {
  const outcomes = new Map<Message, Outcome>();
  const groups = messagesBySession(messages, outcomes);
  const sessions = await readSessions(groups, outcomes, dependencies, signal);
  if (!sessions) return outcomes;

  await pLimit(MAX_PARALLEL_SESSIONS).map(groups, async (group) => {
    const row = sessions.get(sessionId(group.key));
    const results = await deliverInOrder(group.messages, row, dependencies, signal);
    results.forEach((outcome, index) => outcomes.set(group.messages[index] as Message, outcome));
  });
  return outcomes;
}

/** One session's messages, one after the other: if one fails, later ones must not overtake it. */
async function deliverInOrder(
  messages: readonly Message[],
  row: SessionRow | undefined,
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { metrics, now } = dependencies;
  const outcomes: Outcome[] = [];
  let cause: string | undefined;
  for (const message of messages) {
    let outcome: Outcome;
    if (cause !== undefined) {
      outcome = { kind: "failed", reason: `${REASONS.heldBack}: ${cause}` };
    } else if (signal.aborted) {
      outcome = NOT_REACHED;
    } else {
      outcome = await deliverSafely(message, row, dependencies, signal);
    }
    if (outcome.kind === "delivered") {
      // At once: the age of a delivered message must not include the rest of the batch.
      metrics.add(METRICS.delivered, 1);
      metrics.add(METRICS.ageAtDelivery, ageMs(message, now()));
    }
    if (outcome.kind === "failed") cause ??= outcome.reason;
    outcomes.push(outcome);
  }
  return outcomes;
}

/** A fault of the relay in one message must not fail the whole batch. */
async function deliverSafely(...args: Parameters<typeof deliverMessage>): Promise<Outcome> {
  try {
    return await deliverMessage(...args);
  } catch (error) {
    const [message, , { log }] = args;
    log.error("message not handled", { ...idsOf(message), ...errorFields(error) });
    return { kind: "failed", reason: REASONS.internalError };
  }
}
