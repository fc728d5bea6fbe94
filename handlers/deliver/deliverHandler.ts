import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { type Environment, oneOf, positiveInteger } from "../environment";
import { consoleLog, type LogFields } from "../log";
import { idsOf, messageOf, type QueuedMessage } from "../messages/message";
import { metricsFromEnvironment } from "../metrics";
import { messageQueueFromEnvironment } from "../queue/queue";
import { CONNECTIONS } from "../sessions/sessionRow";
import { timeLimit } from "../timeLimit";
import type { IsTaken } from "./withScopes";
import type { Attempted } from "./outcome";
import {
  partialDeliveriesFromEnvironment,
  type PartialDeliveriesDependencies,
  recordPartial,
} from "./partialDeliveries";
import { settle, type SettleDependencies } from "./settle";
import { takenEarlier } from "./takenEarlier";

/** `now`, `random` and `log` are by default the clock, `Math.random` and the console. */
export type QueueDependencies = Omit<SettleDependencies, keyof Surroundings> &
  PartialDeliveriesDependencies &
  Partial<Surroundings>;

type Surroundings = Pick<SettleDependencies, "now" | "random" | "log">;

/** The part of Lambda's context that the handler uses. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

export type DeliverHandler = (event: SQSEvent, invocation: Invocation) => Promise<SQSBatchResponse>;

/** Reserved for two attempts at the dead-letter queue (2 s each at most), then for changing visibility. */
const SETTLING_MS = 5_000;
/** Of these, reserved for the answer itself: without an answer the whole batch would come back. */
const ANSWERING_MS = 500;

/**
 * Called with a batch of the retry queue: delivers it by `attempt`, and answers which messages to keep. Never throws.
 *
 * @param isTaken Tells which messages are never dead-lettered.
 */
export function deliverHandler<T extends QueueDependencies>(
  given: T,
  attempt: (messages: QueuedMessage[], dependencies: T & Surroundings, signal: AbortSignal) => Promise<Attempted[]>,
  isTaken: IsTaken,
): DeliverHandler {
  const dependencies = { now: Date.now, random: Math.random, log: consoleLog, ...given };

  return async function deliver({ Records }, invocation) {
    const remainingMs = invocation.getRemainingTimeInMillis();
    // A function with a timeout of a few seconds splits it evenly: otherwise it would deliver nothing.
    const sending = timeLimit(Math.max(remainingMs - SETTLING_MS, remainingMs / 2));
    const settling = timeLimit(remainingMs - ANSWERING_MS);
    try {
      const attempted = await attempt(Records.map(messageOf), dependencies, sending);
      for (const each of attempted) {
        const { message, outcome, cursor } = each;
        const { attempt, key, scope } = message;
        // Nothing else reports a message that is dropped.
        const level = outcome.kind === "duplicate" ? "warn" : "info";
        dependencies.log[level](outcome.kind, {
          ...idsOf(message),
          attempt,
          ...detailsOf(each),
          ...(key ? key.value : scope),
          ...cursor,
        });
      }
      const known = await takenEarlier(attempted, isTaken, dependencies, settling);
      // Before a message may be received again.
      await recordPartial(known, dependencies, settling);
      const failed = await settle(known, dependencies, settling);
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      dependencies.metrics.flush();
    }
  };
}

function detailsOf({ outcome, acceptedBy: connectionIds }: Attempted): LogFields {
  if (outcome.kind === "delivered") return { connectionIds: outcome.connectionIds };
  const { reason } = outcome;
  if (outcome.kind === "duplicate") return { reason, firstSqsMessageId: outcome.firstSqsMessageId };
  return { reason, connectionIds };
}

/** The dependencies of `deliver` as the component deploys it, in both modes. */
export function queueDependenciesFromEnvironment(environment: Environment): QueueDependencies {
  return {
    queue: messageQueueFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
    partials: partialDeliveriesFromEnvironment(environment),
    connectionsOfSession: oneOf(environment, "CONNECTIONS", CONNECTIONS),
    maxAttempts: positiveInteger(environment, "MAX_ATTEMPTS"),
    backoff: {
      minSeconds: positiveInteger(environment, "BACKOFF_MIN_SECONDS"),
      maxSeconds: positiveInteger(environment, "BACKOFF_MAX_SECONDS"),
    },
  };
}
