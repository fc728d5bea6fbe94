import { connectionsFromEnvironment } from "../connections/connectionsClient";
import {
  type DeliverHandler,
  deliverHandler,
  queueDependenciesFromEnvironment,
  type QueueDependencies,
} from "./deliverHandler";
import type { Environment } from "../environment";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { sessionStoreFromEnvironment } from "../sessions/sessionStore";
import { deadReceiptOf } from "./deadReceipts";
import { deliverReplayBatch, type DeliverReplayBatchDependencies } from "./deliverReplayBatch";
import { historyFromEnvironment, retentionMsFromEnvironment } from "../history/dynamoDbHistory";
import { noReceipts } from "../receipts/noReceipts";

export type DeliverReplayDependencies = QueueDependencies &
  Pick<
    DeliverReplayBatchDependencies,
    "sessions" | "connections" | "history" | "retentionMs" | "newEpoch" | "receipts" | "deadLetters"
  >;

/**
 * Called with a batch of the retry queue: stores each message under its number, and posts it where its client is there. Keeps
 * what a fault stood in the way of. Never throws.
 */
export function deliverReplay(given: DeliverReplayDependencies): DeliverHandler {
  const { receipts, now = Date.now } = given;
  return deliverHandler<DeliverReplayDependencies>(
    {
      ...given,
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

/**
 * `deliver` as the component deploys it where messages are replayed, and nobody asked for receipts: the client of their topic
 * would be 7 of its 93 kB, so `deliverWithReceipts` has it alone.
 */
export function deliverReplayFromEnvironment(environment: Environment): DeliverHandler {
  const receipts = noReceipts(environment, "deliverWithReceipts");
  return deliverReplay({ ...dependenciesFromEnvironment(environment), receipts });
}

/** All but the receipts. */
export function dependenciesFromEnvironment(environment: Environment): Omit<DeliverReplayDependencies, "receipts"> {
  return {
    sessions: sessionStoreFromEnvironment(environment),
    connections: connectionsFromEnvironment(environment),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    // deliver always has the queue's URL, for undeliverable messages; this flag says whether expired ones go there, too.
    deadLetters: environment.DEAD_LETTER_EXPIRED ? deadLetterQueueFromEnvironment(environment) : undefined,
    ...queueDependenciesFromEnvironment(environment),
  };
}
