import { ASSUMED, increments, INCREMENTS_KB, MINUTES_A_MONTH } from "./assumed";
import type { Usage } from "./usage";
import { awayMessageOf, publishesOf, type Workload } from "./workload";

/** The usage of a month in retry mode. */
export function retryUsageOf(workload: Workload): Usage {
  const { messages, messageKb, connections, awayShare, batchSize } = workload;
  const away = awayMessageOf(workload);
  const awayMessages = messages * awayShare;
  const deadLetters = away.becomes === "delivered" ? 0 : awayMessages;
  const attempts = messages - awayMessages + awayMessages * away.attempts;
  const batches = attempts / batchSize;
  const connectionMinutes = connections * MINUTES_A_MONTH;
  const opened = connectionMinutes / workload.connectionMinutes;
  const invocations = batches + 2 * opened;
  const { delivery, queueRequest } = INCREMENTS_KB;
  // A batch is received, and then deleted from the queue or hidden for a retry.
  const perBatch = increments(messageKb * batchSize, queueRequest) + 1;
  return {
    deliveries: (messages - deadLetters) * increments(messageKb, delivery),
    pings: connectionMinutes * workload.pingsPerMinute * 2,
    connectionMinutes,
    publishes: publishesOf(workload),
    queueRequests: (messages + deadLetters) * increments(messageKb, queueRequest) + batches * perBatch,
    idlePolls: ASSUMED.idlePollsPerMinute * MINUTES_A_MONTH,
    invocations,
    gbSeconds:
      ASSUMED.memoryGb *
      (batches * ASSUMED.deliverSeconds + opened * (ASSUMED.connectSeconds + ASSUMED.disconnectSeconds)),
    writeUnits: opened * ASSUMED.writeUnitsPerConnection,
    // One consistent read of up to 4 KB per attempt.
    readUnits: attempts + opened * ASSUMED.readUnitsPerConnection,
    logGb: (invocations * ASSUMED.logKbPerInvocation) / 1024 ** 2,
  };
}
