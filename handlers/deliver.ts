import { setMaxListeners } from "node:events";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import pLimit from "p-limit";
import { connectionsFromEnvironment } from "./connections";
import { deliverMessage, type DeliverMessageDependencies, type Outcome } from "./deliverMessage";
import { type Environment, positiveInteger } from "./environment";
import { consoleLog, errorFields } from "./log";
import { type Message, messageOf } from "./message";
import { messageQueueFromEnvironment } from "./queue";
import { REASONS } from "./reasons";
import { type Session, sessionId, type SessionKey } from "./session";
import { sessionStoreFromEnvironment } from "./sessions";
import { settle, type SettleDependencies } from "./settle";

/** `now`, `random` and `log` are by default the clock, `Math.random` and the console. */
export type DeliverDependencies = Pick<DeliverMessageDependencies, "sessions" | "connections"> &
  Pick<SettleDependencies, "queue" | "maxAttempts" | "backoff"> &
  Partial<Pick<DeliverMessageDependencies, "now"> & Pick<SettleDependencies, "random" | "log">>;

/** What the handler asks of Lambda's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

type DeliverHandler = (event: SQSEvent, invocation: Invocation) => Promise<SQSBatchResponse>;

/** Time for two tries at the dead-letter queue (2 s each at most), then for the visibility. */
const SETTLING_MS = 5_000;
/** Of these, what the answer itself needs: without it the whole batch would come back. */
const ANSWERING_MS = 500;

/** A session's messages go one after the other; this bounds how many sessions do so side by side (the SDK has 50 sockets). */
const MAX_PARALLEL_SESSIONS = 50;

/** Called with a batch of the retry queue: delivers it, and answers which messages are to be kept. Never throws. */
export function deliver(given: DeliverDependencies): DeliverHandler {
  const dependencies = { now: Date.now, random: Math.random, log: consoleLog, ...given };

  return async function deliverHandler({ Records }, invocation) {
    const remainingMs = invocation.getRemainingTimeInMillis();
    // A function with a time limit of a few seconds shares it evenly: it would deliver nothing otherwise.
    const sending = timeLimit(Math.max(remainingMs - SETTLING_MS, remainingMs / 2));
    const settling = timeLimit(remainingMs - ANSWERING_MS);
    try {
      const messages = Records.map(messageOf);
      const outcomes = await deliverBatch(messages, dependencies, sending.signal);
      const attempted = messages.map((message) => ({ message, outcome: outcomes.get(message) ?? notReached }));
      for (const { message, outcome } of attempted) {
        const { messageId, attempt, key } = message;
        const reason = outcome.kind === "delivered" ? undefined : outcome.reason;
        dependencies.log.info(outcome.kind, { messageId, attempt, reason, ...key.value });
      }
      const failed = await settle(attempted, dependencies, settling.signal);
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      sending.clear();
      settling.clear();
    }
  };
}

/** `deliver` as the component deploys it. */
export function deliverFromEnvironment(environment: Environment): DeliverHandler {
  return deliver({
    sessions: sessionStoreFromEnvironment(environment),
    connections: connectionsFromEnvironment(environment),
    queue: messageQueueFromEnvironment(environment),
    maxAttempts: positiveInteger(environment, "MAX_ATTEMPTS"),
    backoff: {
      minSeconds: positiveInteger(environment, "BACKOFF_MIN_SECONDS"),
      maxSeconds: positiveInteger(environment, "BACKOFF_MAX_SECONDS"),
    },
  });
}

const notReached: Outcome = { kind: "not-reached", reason: REASONS.notReached };

async function deliverBatch(
  messages: readonly Message[],
  dependencies: DeliverMessageDependencies,
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
    const results = await deliverInOrder(group.messages, sessions.get(sessionId(group.key)), dependencies, signal);
    results.forEach((outcome, index) => outcomes.set(group.messages[index] as Message, outcome));
  });
  return outcomes;
}

/** One session's messages, one after the other: after one has failed, the later ones must not overtake it. */
async function deliverInOrder(
  messages: readonly Message[],
  session: Session | undefined,
  dependencies: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<Outcome[]> {
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
    if (outcome.kind === "delivered") current = outcome.session;
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
    log.error("message not handled", { messageId: message.messageId, ...errorFields(error) });
    return { kind: "failed", reason: REASONS.internalError };
  }
}

function timeLimit(ms: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  // Each request under way listens, and more than ten are no leak.
  setMaxListeners(0, controller.signal);
  if (ms <= 0) controller.abort();
  const timer = setTimeout(() => controller.abort(), Math.max(ms, 0));
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
