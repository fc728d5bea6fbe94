import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type Environment, positiveInteger } from "../environment";
import { consoleLog } from "../log";
import { idsOf, type Message, messageOf } from "../messages/message";
import { metricsFromEnvironment } from "../metrics";
import type { Attempted } from "./outcome";
import { messageQueueFromEnvironment } from "../queue/queue";
import { settle, type SettleDependencies } from "./settle";
import { timeLimit } from "../timeLimit";

/** `now`, `random` and `log` are by default the clock, `Math.random` and the console. */
export type QueueDependencies = Omit<SettleDependencies, keyof Surroundings> & Partial<Surroundings>;

type Surroundings = Pick<SettleDependencies, "now" | "random" | "log">;

/** What the handler asks of Lambda's context. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

export type DeliverHandler = (event: SQSEvent, invocation: Invocation) => Promise<SQSBatchResponse>;

/** Time for two tries at the dead-letter queue (2 s each at most), then for the visibility. */
const SETTLING_MS = 5_000;
/** Of these, what the answer itself needs: without it the whole batch would come back. */
const ANSWERING_MS = 500;

/** Called with a batch of the retry queue: delivers it as `attempt` does, and answers which messages are to be kept. Never throws. */
export function deliverHandler<T extends QueueDependencies>(
  given: T,
  attempt: (messages: Message[], dependencies: T & Surroundings, signal: AbortSignal) => Promise<Attempted[]>,
): DeliverHandler {
  const dependencies = { now: Date.now, random: Math.random, log: consoleLog, ...given };

  return async function deliver({ Records }, invocation) {
    const remainingMs = invocation.getRemainingTimeInMillis();
    // A function with a time limit of a few seconds shares it evenly: it would deliver nothing otherwise.
    const sending = timeLimit(Math.max(remainingMs - SETTLING_MS, remainingMs / 2));
    const settling = timeLimit(remainingMs - ANSWERING_MS);
    try {
      const attempted = await attempt(Records.map(messageOf), dependencies, sending);
      for (const { message, outcome, cursor } of attempted) {
        const { attempt, key } = message;
        const why =
          outcome.kind === "delivered" ? { connectionId: outcome.session.connectionId } : { reason: outcome.reason };
        dependencies.log.info(outcome.kind, { ...idsOf(message), attempt, ...why, ...key.value, ...cursor });
      }
      const failed = await settle(attempted, dependencies, settling);
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      dependencies.metrics.flush();
    }
  };
}

/** What the component deploys `deliver` with, in either mode. */
export function queueDependenciesFromEnvironment(environment: Environment): QueueDependencies {
  return {
    queue: messageQueueFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
    maxAttempts: positiveInteger(environment, "MAX_ATTEMPTS"),
    backoff: {
      minSeconds: positiveInteger(environment, "BACKOFF_MIN_SECONDS"),
      maxSeconds: positiveInteger(environment, "BACKOFF_MAX_SECONDS"),
    },
  };
}
