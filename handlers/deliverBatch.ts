import pLimit from "p-limit";
import { deliverMessage, type DeliverMessageDependencies, type Outcome } from "./deliverMessage";
import { errorFields } from "./log";
import { ageMs, hasExpired, idsOf, type Message } from "./message";
import { METRICS, type Metrics } from "./metrics";
import { REASONS } from "./reasons";
import { type Session, sessionId, type SessionKey } from "./session";

export interface DeliverBatchDependencies extends DeliverMessageDependencies {
  metrics: Metrics;
}

/** A message, and what became of it. */
export interface Attempted {
  message: Message;
  outcome: Outcome;
}

/** A session's messages go one after the other; this bounds how many sessions do so side by side (the SDK has 50 sockets). */
const MAX_PARALLEL_SESSIONS = 50;

/** Delivers a batch, each session's messages in order and the sessions side by side, until `signal` says that time is up. */
export async function deliverBatch(
  messages: readonly Message[],
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  const outcomes = await outcomesOf(messages, dependencies, signal);
  return messages.map((message) => {
    const outcome = outcomes.get(message) ?? notReached;
    const isOpen = outcome.kind === "failed" || outcome.kind === "not-reached";
    // Whatever else it failed of, it would fail of this next time.
    const isLate = isOpen && hasExpired(message, dependencies.now());
    return { message, outcome: isLate ? { kind: "undeliverable", reason: REASONS.expired } : outcome };
  });
}

const notReached: Outcome = { kind: "not-reached", reason: REASONS.notReached };

async function outcomesOf(
  messages: readonly Message[],
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Map<Message, Outcome>> {
  const outcomes = new Map<Message, Outcome>();
  const bySession = new Map<string, { key: SessionKey; messages: Message[] }>();
  for (const message of messages) {
    const { value: key, reason } = message.key;
    if (reason !== undefined) {
      outcomes.set(message, { kind: "undeliverable", reason });
      continue;
    }
    const group = bySession.get(sessionId(key)) ?? { key, messages: [] };
    group.messages.push(message);
    bySession.set(sessionId(key), group);
  }
  const groups = [...bySession.values()];
  if (groups.length === 0 || signal.aborted) return outcomes;

  let sessions: Map<string, Session>;
  try {
    sessions = await dependencies.sessions.readAll(
      groups.map(({ key }) => key),
      signal,
    );
  } catch (error) {
    dependencies.log.error("sessions not read", errorFields(error));
    // Where time was up, nothing was reached.
    if (!signal.aborted) {
      const outcome: Outcome = { kind: "failed", reason: REASONS.sessionStoreUnavailable };
      for (const message of groups.flatMap((group) => group.messages)) outcomes.set(message, outcome);
    }
    return outcomes;
  }

  await pLimit(MAX_PARALLEL_SESSIONS).map(groups, async (group) => {
    const session = sessions.get(sessionId(group.key));
    const results = await deliverInOrder(group.messages, session, dependencies, signal);
    results.forEach((outcome, index) => outcomes.set(group.messages[index] as Message, outcome));
  });
  return outcomes;
}

/** One session's messages, one after the other: after one has failed, the later ones must not overtake it. */
async function deliverInOrder(
  messages: readonly Message[],
  session: Session | undefined,
  dependencies: DeliverBatchDependencies,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { metrics, now } = dependencies;
  const outcomes: Outcome[] = [];
  let current = session;
  let cause: string | undefined;
  for (const message of messages) {
    let outcome: Outcome;
    if (cause !== undefined) {
      outcome = { kind: "failed", reason: `${REASONS.heldBack}: ${cause}` };
    } else if (signal.aborted) {
      outcome = notReached;
    } else {
      outcome = await deliverSafely(message, current, dependencies, signal);
    }
    if (outcome.kind === "delivered") {
      current = outcome.session;
      // At once: what is delivered is not older for the rest of the batch.
      metrics.add(METRICS.delivered, 1);
      metrics.add(METRICS.ageAtDelivery, ageMs(message, now()));
    }
    if (outcome.kind === "failed") cause ??= outcome.reason;
    outcomes.push(outcome);
  }
  return outcomes;
}

/** A fault of ours in one message must not send the whole batch around again. */
async function deliverSafely(...args: Parameters<typeof deliverMessage>): Promise<Outcome> {
  try {
    return await deliverMessage(...args);
  } catch (error) {
    const [message, , { log }] = args;
    log.error("message not handled", { ...idsOf(message), ...errorFields(error) });
    return { kind: "failed", reason: REASONS.internalError };
  }
}
