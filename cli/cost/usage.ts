import { type Backoff, backoffSeconds } from "../../handlers/backoff";

/** What a month is like. */
export interface Workload {
  /** Messages published in the month. */
  messages: number;
  /** Of one message, on average. */
  messageKb: number;
  /** Open at one time, on average over the month. */
  connections: number;
  /** From a client's handshake to its end, on average. */
  connectionMinutes: number;
  /** Heartbeats of one client; each is a message, and its answer another. */
  pingsPerMinute: number;
  /** Part of the messages whose user is away when they are published, 0 to 1. */
  awayShare: number;
  /** From such a message to its user's return. */
  minutesAway: number;
  /** Messages that one invocation of `deliver` takes, on average. */
  batchSize: number;
  maxAttempts: number;
  backoff: Backoff;
}

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
}

/** How often a message to a user who is away is tried, and what becomes of it at last. */
export interface AwayMessage {
  attempts: number;
  becomes: "delivered" | "dead-lettered";
}

/** The hours of a month as AWS counts them, in minutes. */
export const MINUTES_A_MONTH = 730 * 60;

/** What a message of so many KB counts as: https://aws.amazon.com/api-gateway/pricing/, /sns/pricing/, /sqs/pricing/ */
export const INCREMENTS_KB = { delivery: 32, publish: 64, queueRequest: 64 } as const;

/** What no price list says: read off the code, or measured on one machine and rounded up. */
export const ASSUMED = {
  memoryGb: 0.5,
  connectSeconds: 0.06,
  disconnectSeconds: 0.03,
  deliverSeconds: 0.04,
  /** Lambda's own lines, and the metrics. */
  logKbPerInvocation: 1.5,
  logKbPerAttempt: 0.4,
  /** The connection's item and the session's row are written and deleted, each in the table and in its index. */
  writeUnitsPerConnection: 8,
  /** The block twice, consistently: one unit each; the index once: half a unit. */
  readUnitsPerConnection: 2.5,
  /** Five pollers, each for 20 s at a time. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  idlePollsPerMinute: 15,
} as const;

/** What a month uses. */
export function usageOf(workload: Workload): Usage {
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

/** How a message fares whose user comes back `minutesAway` later, with pauses of average length. */
export function awayMessageOf({ minutesAway, maxAttempts, backoff }: Workload): AwayMessage {
  let waitedSeconds = 0;
  for (let attempts = 1; ; attempts++) {
    if (waitedSeconds >= minutesAway * 60) return { attempts, becomes: "delivered" };
    if (attempts === maxAttempts) return { attempts, becomes: "dead-lettered" };
    waitedSeconds += backoffSeconds(attempts, backoff, () => 0.5);
  }
}

function increments(kb: number, ofKb: number): number {
  return Math.max(1, Math.ceil(kb / ofKb));
}
