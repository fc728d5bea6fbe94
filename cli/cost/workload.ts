import { type Backoff, backoffSeconds } from "../../handlers/deliver/backoff";

/** The traffic and settings of a month. */
export interface Workload {
  /** How the relay delivers. */
  delivery: "retry" | "replay";
  /** Messages published in the month. */
  messages: number;
  /** Size of one message in KB, on average. */
  messageKb: number;
  /** Connections open at one time, on average over the month. */
  connections: number;
  /** Duration of a connection in minutes, on average. */
  connectionMinutes: number;
  /** Heartbeats of one client; the ping and its pong are billed as messages. */
  pingsPerMinute: number;
  /** Share of the messages whose user is away when they are published, 0 to 1. */
  awayShare: number;
  /** Minutes from such a message to its user's return. */
  minutesAway: number;
  /** Messages per invocation of `deliver`, on average. */
  batchSize: number;
  maxAttempts: number;
  backoff: Backoff;
  /** `strict` if topic and queue are FIFO; only in replay mode. */
  ordering: "standard" | "strict";
  /** Whether there is a receipts topic; only in replay mode. */
  receipts: boolean;
  /** How long the history keeps a message; only in replay mode. */
  historyRetentionSeconds: number;
  /** Messages per acknowledgement, on average; only in replay mode. */
  messagesPerAck: number;
  /** Messages that wait for a returning user, on average; only in replay mode. */
  messagesPerReturn: number;
}

/** The attempts of a message to a user who is away, and its outcome. */
export interface AwayMessage {
  attempts: number;
  becomes: "delivered" | "dead-lettered" | "expired";
}

/** The outcome of a message whose user returns `minutesAway` later; in retry mode with pauses of average length. */
export function awayMessageOf(workload: Workload): AwayMessage {
  const { delivery, minutesAway, maxAttempts, backoff, historyRetentionSeconds } = workload;
  if (delivery === "replay") {
    return { attempts: 1, becomes: minutesAway * 60 < historyRetentionSeconds ? "delivered" : "expired" };
  }
  let waitedSeconds = 0;
  for (let attempts = 1; ; attempts++) {
    if (waitedSeconds >= minutesAway * 60) return { attempts, becomes: "delivered" };
    if (attempts === maxAttempts) return { attempts, becomes: "dead-lettered" };
    waitedSeconds += backoffSeconds(attempts, backoff, () => 0.5);
  }
}
