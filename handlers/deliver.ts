import { setMaxListeners } from "node:events";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { connectionsFromEnvironment } from "./connections";
import { deliverBatch, type DeliverBatchDependencies } from "./deliverBatch";
import { type Environment, positiveInteger } from "./environment";
import { consoleLog } from "./log";
import { idsOf, messageOf } from "./message";
import { metricsFromEnvironment } from "./metrics";
import { messageQueueFromEnvironment } from "./queue";
import { sessionStoreFromEnvironment } from "./sessions";
import { settle, type SettleDependencies } from "./settle";

/** `now`, `random` and `log` are by default the clock, `Math.random` and the console. */
export type DeliverDependencies = Pick<DeliverBatchDependencies, "sessions" | "connections" | "metrics"> &
  Pick<SettleDependencies, "queue" | "maxAttempts" | "backoff"> &
  Partial<Pick<SettleDependencies, "now" | "random" | "log">>;

/** What the handler asks of Lambda's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

type DeliverHandler = (event: SQSEvent, invocation: Invocation) => Promise<SQSBatchResponse>;

/** Time for two tries at the dead-letter queue (2 s each at most), then for the visibility. */
const SETTLING_MS = 5_000;
/** Of these, what the answer itself needs: without it the whole batch would come back. */
const ANSWERING_MS = 500;

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
      const attempted = await deliverBatch(messages, dependencies, sending.signal);
      for (const { message, outcome } of attempted) {
        const { attempt, key } = message;
        const reason = outcome.kind === "delivered" ? undefined : outcome.reason;
        dependencies.log.info(outcome.kind, { ...idsOf(message), attempt, reason, ...key.value });
      }
      const failed = await settle(attempted, dependencies, settling.signal);
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      sending.clear();
      settling.clear();
      dependencies.metrics.flush();
    }
  };
}

/** `deliver` as the component deploys it. */
export function deliverFromEnvironment(environment: Environment): DeliverHandler {
  return deliver({
    sessions: sessionStoreFromEnvironment(environment),
    connections: connectionsFromEnvironment(environment),
    queue: messageQueueFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
    maxAttempts: positiveInteger(environment, "MAX_ATTEMPTS"),
    backoff: {
      minSeconds: positiveInteger(environment, "BACKOFF_MIN_SECONDS"),
      maxSeconds: positiveInteger(environment, "BACKOFF_MAX_SECONDS"),
    },
  });
}

function timeLimit(ms: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  // Each request under way listens, and more than ten are no leak.
  setMaxListeners(0, controller.signal);
  if (ms <= 0) controller.abort();
  const timer = setTimeout(() => controller.abort(), Math.max(ms, 0));
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
