import type { Workload } from "../../cli/cost/workload";

/** A month without traffic, in retry mode. */
export const quiet: Workload = {
  delivery: "retry",
  ordering: "standard",
  receipts: false,
  messages: 0,
  messageKb: 1,
  connections: 0,
  connectionMinutes: 30,
  pingsPerMinute: 0,
  awayShare: 0,
  minutesAway: 0,
  batchSize: 1,
  messagesPerPublish: 1,
  usersPerBatch: 1,
  maxAttempts: 66,
  backoff: { minSeconds: 2, maxSeconds: 120 },
  historyRetentionSeconds: 86_400,
  messagesPerAck: 1,
  messagesPerReturn: 1,
  messagesPerRetention: 1,
};
