import {
  ASSUMED,
  increments,
  INCREMENTS_KB,
  MINUTES_A_MONTH,
  readUnitsPerConnection,
  rowKbOf,
  writeUnitsPerConnection,
} from "./assumed";
import type { Usage } from "./usage";
import { attemptsOf, awayMessageOf, heartbeatsIn, publishesOf, sessionsPerMessageOf, type Workload } from "./workload";

/** The usage of a month in retry mode. */
export function retryUsageOf(workload: Workload): Usage {
  const { messages, messageKb, connections, awayShare, batchSize, connectionsPerSession, scopedShare } = workload;
  const away = awayMessageOf(workload);
  const awayMessages = messages * awayShare;
  const deadLetters = away.becomes === "delivered" ? 0 : awayMessages;
  const liveMessages = messages - awayMessages;
  const awayAttempts = awayMessages * away.attempts;
  const liveSessions = liveMessages * sessionsPerMessageOf(workload);
  const batches = attemptsOf(workload) / batchSize;
  const connectionMinutes = connections * MINUTES_A_MONTH;
  const opened = connectionMinutes / workload.connectionMinutes;
  const invocations = batches + 2 * opened;
  const { delivery, queueRequest, read } = INCREMENTS_KB;
  const rowsKb = workload.sessionsPerScopedMessage * rowKbOf(connectionsPerSession);
  // A batch is received, and then deleted from the queue or hidden for a retry.
  const perBatch = increments(messageKb * batchSize, queueRequest) + 1;
  return {
    // A message that has waited goes to the first connection that is back.
    deliveries: (liveSessions * connectionsPerSession + awayMessages - deadLetters) * increments(messageKb, delivery),
    pings: heartbeatsIn(connectionMinutes * 60, workload) * 2,
    connectionMinutes,
    publishes: publishesOf(workload),
    queueRequests: (messages + deadLetters) * increments(messageKb, queueRequest) + batches * perBatch,
    idlePolls: ASSUMED.idlePollsPerMinute * MINUTES_A_MONTH,
    invocations,
    gbSeconds:
      ASSUMED.memoryGb *
      (batches * ASSUMED.deliverSeconds + opened * (ASSUMED.connectSeconds + ASSUMED.disconnectSeconds)),
    writeUnits: opened * writeUnitsPerConnection(connectionsPerSession),
    // One consistent read of up to 4 KB per session and attempt, and before that a query for the sessions of a scope. If the user
    // is away, there is only one of the two.
    readUnits:
      liveSessions +
      liveMessages * scopedShare * increments(rowsKb, read) +
      awayAttempts +
      opened * readUnitsPerConnection(connectionsPerSession),
    logGb: (invocations * ASSUMED.logKbPerInvocation) / 1024 ** 2,
  };
}
