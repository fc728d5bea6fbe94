import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { limitedConnections } from "../connections/limitedConnections";
import type { Environment } from "../environment";
import {
  historyFromEnvironment,
  historyGenerationFromEnvironment,
  retentionMsFromEnvironment,
} from "../history/dynamoDbHistory";
import { KnownSessions } from "../history/knownIds";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { rawPoster } from "../raw/rawPoster";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import { sessionStoreFromEnvironment } from "../sessions/sessionStore";
import { deadReceiptOf } from "./deadReceipts";
import {
  type DeliverHandler,
  deliverHandler,
  queueDependenciesFromEnvironment,
  type QueueDependencies,
} from "./deliverHandler";
import { deliverReplayBatch, type DeliverReplayBatchDependencies } from "./deliverReplayBatch";

export type DeliverReplayDependencies = QueueDependencies &
  Pick<
    DeliverReplayBatchDependencies,
    | "sessions"
    | "connections"
    | "postToRaw"
    | "history"
    | "retentionMs"
    | "generation"
    | "newEpoch"
    | "pause"
    | "receipts"
    | "deadLetters"
  >;

/**
 * Called with a batch of the retry queue: stores each message under its number, and posts it if its client is connected.
 * Keeps the messages that a fault has prevented. Never throws.
 */
export function deliverReplay(given: DeliverReplayDependencies): DeliverHandler {
  const { receipts, deadLetters, now = Date.now } = given;
  return deliverHandler<DeliverReplayDependencies & Pick<DeliverReplayBatchDependencies, "known" | "reportsOwnExpiry">>(
    {
      ...given,
      known: new KnownSessions(),
      // Otherwise only a metric and a log line would come sooner, also of messages that a client has not acknowledged yet.
      reportsOwnExpiry: receipts.wanted || deadLetters !== undefined,
      onDeadLettered: async (dead, signal) => {
        await receipts.publish(
          dead.map((each) => deadReceiptOf(each, now())),
          signal,
        );
      },
    },
    deliverReplayBatch,
  );
}

/** `deliver` as the component deploys it in replay mode. */
export function deliverReplayFromEnvironment(environment: Environment): DeliverHandler {
  const dependencies = {
    sessions: sessionStoreFromEnvironment(environment),
    connections: limitedConnections(connectionsFromEnvironment(environment)),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    generation: historyGenerationFromEnvironment(environment),
    // deliver always has the queue's URL, for undeliverable messages; this flag sends expired ones there, too.
    deadLetters: environment.DEAD_LETTER_EXPIRED ? deadLetterQueueFromEnvironment(environment) : undefined,
    receipts: receiptsFromEnvironment(environment),
    ...queueDependenciesFromEnvironment(environment),
  };
  return deliverReplay({ ...dependencies, postToRaw: rawPoster(dependencies) });
}
