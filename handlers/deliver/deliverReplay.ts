import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { limitedConnections } from "../connections/limitedConnections";
import { type Environment, text } from "../environment";
import {
  historyFromEnvironment,
  historyGenerationFromEnvironment,
  retentionMsFromEnvironment,
  waitingAfterMsFromEnvironment,
} from "../history/dynamoDbHistory";
import { KnownSessions } from "../history/knownIds";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { servesRawClients } from "../raw/rawClients";
import { rawPoster } from "../raw/rawPoster";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import { DynamoDbSessionMarkers } from "../sessions/sessionMarkers";
import { sessionReaderFromEnvironment } from "../sessions/sessionReader";
import { tableClient } from "../tableClient";
import { deadReceiptOf } from "./deadReceipts";
import {
  type DeliverHandler,
  deliverHandler,
  queueDependenciesFromEnvironment,
  type QueueDependencies,
} from "./deliverHandler";
import { deliverReplayBatch, type DeliverReplayBatchDependencies } from "./deliverReplayBatch";
import { withScopes, type ScopeDependencies, isSafeForAll } from "./withScopes";

export type DeliverReplayDependencies = QueueDependencies &
  Pick<
    DeliverReplayBatchDependencies,
    | "sessions"
    | "connections"
    | "postToRaw"
    | "history"
    | "retentionMs"
    | "waitingAfterMs"
    | "generation"
    | "newEpoch"
    | "pause"
    | "receipts"
    | "deadLetters"
  > &
  Pick<ScopeDependencies, "scopes" | "partials">;

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
    withScopes(deliverReplayBatch, isSafeForAll),
    isSafeForAll,
  );
}

/** `deliver` as the component deploys it in replay mode. */
export function deliverReplayFromEnvironment(environment: Environment): DeliverHandler {
  const dependencies = {
    sessions: sessionReaderFromEnvironment(environment),
    connections: limitedConnections(connectionsFromEnvironment(environment)),
    scopes: new DynamoDbSessionMarkers(tableClient(), { tableName: text(environment, "TABLE_NAME") }),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    waitingAfterMs: waitingAfterMsFromEnvironment(environment),
    generation: historyGenerationFromEnvironment(environment),
    // deliver always has the queue's URL, for undeliverable messages; this flag sends expired ones there, too.
    deadLetters: environment.DEAD_LETTER_EXPIRED ? deadLetterQueueFromEnvironment(environment) : undefined,
    receipts: receiptsFromEnvironment(environment),
    ...queueDependenciesFromEnvironment(environment),
  };
  // Without it, a raw connection from retry mode is closed as of the other mode.
  const postToRaw = servesRawClients(environment) ? rawPoster(dependencies) : undefined;
  return deliverReplay({ ...dependencies, postToRaw });
}
