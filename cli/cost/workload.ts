import { type Backoff, backoffSeconds } from "../../handlers/deliver/backoff";

/** What a month is like. */
export interface Workload {
  /** How the relay delivers. */
  delivery: "retry" | "replay";
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
  /** Whether topic and queue are FIFO; only with replay. */
  ordering: "standard" | "strict";
  /** Whether there is a topic of receipts; only with replay. */
  receipts: boolean;
  /** For how long the history keeps a message; only with replay. */
  historyRetentionSeconds: number;
  /** Messages that one acknowledgement covers, on average; only with replay. */
  messagesPerAck: number;
  /** Messages that wait for a user who comes back, on average; only with replay. */
  messagesPerReturn: number;
}

/** How often a message to a user who is away is tried, and what becomes of it at last. */
export interface AwayMessage {
  attempts: number;
  becomes: "delivered" | "dead-lettered" | "expired";
}

/** How a message fares whose user comes back `minutesAway` later; in retry mode with pauses of average length. */
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
