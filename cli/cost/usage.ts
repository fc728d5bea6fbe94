import { ASSUMED, increments, INCREMENTS_KB, MINUTES_A_MONTH } from "./assumed";
import { replayUsageOf } from "./replayUsage";
import { awayMessageOf, type Workload } from "./workload";

/** What is paid for. */
export interface Usage {
  deliveries: number;
  pings: number;
  connectionMinutes: number;
  publishes: number;
  queueRequests: number;
  idlePolls: number;
  invocations: number;
  gbSeconds: number;
  writeUnits: number;
  readUnits: number;
  logGb: number;
  /** Only in replay mode. */
  replay?: ReplayUsage;
}

/** What is paid for in replay mode beside it. */
export interface ReplayUsage {
  /** Frames from clients that reach a function: resumes and acknowledgements. */
  clientFrames: number;
  historyWriteUnits: number;
  historyReadUnits: number;
  historyGbMonths: number;
  receipts: number;
  /** What topic and queue hand over, in GB; only where they are FIFO, whose price asks for it. */
  publishedGb: number;
}

/** What a month uses. */
export function usageOf(workload: Workload): Usage {
  return workload.delivery === "replay" ? replayUsageOf(workload) : retryUsageOf(workload);
}

function retryUsageOf(workload: Workload): Usage {
  const { messages, messageKb, connections, awayShare, batchSize } = workload;
  const away = awayMessageOf(workload);
  const awayMessages = messages * awayShare;
  const deadLetters = away.becomes === "delivered" ? 0 : awayMessages;
  const attempts = messages - awayMessages + awayMessages * away.attempts;
  const batches = attempts / batchSize;
  const connectionMinutes = connections * MINUTES_A_MONTH;
  const opened = connectionMinutes / workload.connectionMinutes;
  const invocations = batches + 2 * opened;
  const { delivery, publish, queueRequest } = INCREMENTS_KB;
  // A batch is received, and then settled: deleted from the queue, or made to wait.
  const perBatch = increments(messageKb * batchSize, queueRequest) + 1;
  return {
    deliveries: (messages - deadLetters) * increments(messageKb, delivery),
    pings: connectionMinutes * workload.pingsPerMinute * 2,
    connectionMinutes,
    publishes: messages * increments(messageKb, publish),
    queueRequests: (messages + deadLetters) * increments(messageKb, queueRequest) + batches * perBatch,
    idlePolls: ASSUMED.idlePollsPerMinute * MINUTES_A_MONTH,
    invocations,
    gbSeconds:
      ASSUMED.memoryGb *
      (batches * ASSUMED.deliverSeconds + opened * (ASSUMED.connectSeconds + ASSUMED.disconnectSeconds)),
    writeUnits: opened * ASSUMED.writeUnitsPerConnection,
    // One consistent read of up to 4 KB an attempt.
    readUnits: attempts + opened * ASSUMED.readUnitsPerConnection,
    logGb: (invocations * ASSUMED.logKbPerInvocation + attempts * ASSUMED.logKbPerAttempt) / 1024 ** 2,
  };
}
