import { type Backoff, backoffSeconds } from "../../handlers/deliver/backoff";
import { increments, INCREMENTS_KB, MINUTES_A_MONTH } from "./assumed";

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
  /** Connections of a session that each get its messages, on average: 1, or more if the relay's `connections` is `all`. */
  connectionsPerSession: number;
  /** Share of the messages that have a scope, 0 to 1. */
  scopedShare: number;
  /** Sessions that such a message goes to, on average. */
  sessionsPerScopedMessage: number;
  /** Seconds between two heartbeats of a client, or 0 if it sends none; a ping and its pong are billed as messages. */
  heartbeatSeconds: number;
  /** Share of the messages whose user is away when they are published, 0 to 1. */
  awayShare: number;
  /** Minutes from such a message to its user's return. */
  minutesAway: number;
  /** Messages per invocation of `deliver`, on average. */
  batchSize: number;
  /** Messages per request to SNS, on average: 1, or up to 10 with `publishBatch`. */
  messagesPerPublish: number;
  maxAttempts: number;
  backoff: Backoff;
  /** `strict` if topic and queue are FIFO; only in replay mode. */
  ordering: "standard" | "strict";
  /** Whether there is a receipts topic; only in replay mode. */
  receipts: boolean;
  /** After how long a message gets the receipt `waiting`; undefined if there are no such receipts. Only in replay mode. */
  waitingAfterSeconds?: number;
  /** Whether raw clients may connect; only in replay mode. */
  rawClients: boolean;
  /** Share of the connections that are raw, 0 to 1; a session's are all of one kind. Only in replay mode. */
  rawShare: number;
  /** Connections that are opened for a session in a day, on average; only in replay mode. */
  connectionsPerDay: number;
  /** How long the history keeps a message; only in replay mode. */
  historyRetentionSeconds: number;
  /** Users among the messages of a batch, on average: at most `batchSize`; only in replay mode. */
  usersPerBatch: number;
  /** Messages per acknowledgement, on average; only in replay mode. */
  messagesPerAck: number;
  /** Messages that wait for a returning user, on average; only in replay mode. */
  messagesPerReturn: number;
  /** Messages of a user within one retention, on average; only in replay mode. */
  messagesPerRetention: number;
  /** Requests to the HTTP API in the month; only in replay mode. */
  httpReads: number;
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

/** Attempts to deliver the month's messages. */
export function attemptsOf(workload: Workload): number {
  const { messages, awayShare } = workload;
  return messages * (1 - awayShare) + messages * awayShare * awayMessageOf(workload).attempts;
}

/** Sessions that a message goes to, on average. */
export function sessionsPerMessageOf({
  scopedShare,
  sessionsPerScopedMessage,
}: Pick<Workload, "scopedShare" | "sessionsPerScopedMessage">): number {
  return 1 + scopedShare * (sessionsPerScopedMessage - 1);
}

/** SNS bills a request by its size, with one message or with ten. */
export function publishesOf({ messages, messageKb, messagesPerPublish }: Workload): number {
  return (messages / messagesPerPublish) * increments(messageKb * messagesPerPublish, INCREMENTS_KB.publish);
}

/** Heartbeats that are sent in these seconds of connections. */
export function heartbeatsIn(
  connectionSeconds: number,
  { heartbeatSeconds }: Pick<Workload, "heartbeatSeconds">,
): number {
  return heartbeatSeconds === 0 ? 0 : connectionSeconds / heartbeatSeconds;
}

/** Connections opened in the month. */
export function openedOf({
  connections,
  connectionMinutes,
}: Pick<Workload, "connections" | "connectionMinutes">): number {
  return (connections * MINUTES_A_MONTH) / connectionMinutes;
}
