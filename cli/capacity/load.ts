import { retryWindowSeconds } from "../../handlers/deliver/backoff";
import { ASSUMED, MINUTES_A_MONTH, REPLAY_ASSUMED } from "../cost/assumed";
import { usageOf } from "../cost/estimate";
import { clientFramesOf } from "../cost/replayUsage";
import { attemptsOf, heartbeatsIn, sessionsPerMessageOf, type Workload } from "../cost/workload";
import { COLD_START_SECONDS, SECONDS_BETWEEN_ACKS } from "./assumed";
import { LIMITS } from "./quotas";

/** A fleet at its busiest moment. */
export interface Fleet {
  /** Clients that are connected at one time. */
  clients: number;
  /** Messages published per second. */
  messagesPerSecond: number;
  /** Requests to the HTTP API per second. */
  httpReadsPerSecond: number;
  /** Seconds within which all clients are to be back after all of them lost their connections. */
  reconnectSeconds: number;
}

/** What happens in a second while all clients reconnect and messages come at their highest rate. */
export interface Load {
  heartbeats: number;
  handshakes: number;
  /** Connections that end. */
  disconnects: number;
  resumes: number;
  acknowledgements: number;
  /** Posts to connections. */
  posts: number;
  /** Requests to the HTTP API. */
  httpReads: number;
  /** All of the above: what counts towards the account's requests. */
  requests: number;
  /** Messages that SNS counts: published ones, and receipts. */
  publishedMessages: number;
  sessionWriteUnits: number;
  sessionReadUnits: number;
  historyWriteUnits: number;
  historyReadUnits: number;
  /** Executions at one time, by function. */
  concurrency: Record<"connect" | "disconnect" | "deliver" | "resume" | "acknowledge" | "flush" | "read", number>;
  /** Executions of all functions at one time; at least a tenth of the invocations per second. */
  concurrentExecutions: number;
  /** Messages that wait in the retry queue at one time; only in retry mode. */
  waitingMessages: number;
}

const SECONDS_A_MONTH = MINUTES_A_MONTH * 60;

/** The load of a fleet. Everything that `cost` counts for a month is counted by its formulas, for a month of such seconds. */
export function loadOf(fleet: Fleet, workload: Workload): Load {
  const { clients, messagesPerSecond, reconnectSeconds, httpReadsPerSecond: httpReads } = fleet;
  const busiest: Workload = {
    ...workload,
    messages: messagesPerSecond * SECONDS_A_MONTH,
    connections: clients,
    connectionMinutes: Math.min(workload.connectionMinutes, reconnectSeconds / 60),
    httpReads: httpReads * SECONDS_A_MONTH,
  };
  const usage = usageOf(busiest);
  const perSecond = (count: number) => count / SECONDS_A_MONTH;

  const replays = busiest.delivery === "replay";
  const handshakes = clients / (busiest.connectionMinutes * 60);
  const frames = replays ? clientFramesOf(busiest) : { resumes: 0, acknowledgements: 0 };
  const resumes = perSecond(frames.resumes);
  const acknowledgements = Math.min(perSecond(frames.acknowledgements), clients / SECONDS_BETWEEN_ACKS);
  const flushes = perSecond(usage.replay?.flushRequests ?? 0) / REPLAY_ASSUMED.queueRequestsPerFlush;
  const heartbeats = heartbeatsIn(clients, busiest);
  const posts = perSecond(usage.deliveries);
  const batches = perSecond(attemptsOf(busiest)) / busiest.batchSize;

  const deliverSeconds = replays ? REPLAY_ASSUMED.deliverSeconds : ASSUMED.deliverSeconds;
  // A reconnect finds few warm environments, and never starts more of them than there are clients.
  const started = (rate: number, seconds: number) => Math.min(rate * (seconds + COLD_START_SECONDS), clients);
  const concurrency = {
    connect: started(handshakes, ASSUMED.connectSeconds),
    disconnect: started(handshakes, ASSUMED.disconnectSeconds),
    deliver: batches * deliverSeconds,
    resume: started(resumes, REPLAY_ASSUMED.resumeSeconds),
    acknowledge: acknowledgements * REPLAY_ASSUMED.acknowledgeSeconds,
    flush: started(flushes, REPLAY_ASSUMED.flushSeconds),
    read: httpReads * REPLAY_ASSUMED.httpReadSeconds,
  };
  const invocations = handshakes * 2 + resumes + acknowledgements + flushes + batches + httpReads;
  const receipts = busiest.receipts ? messagesPerSecond * sessionsPerMessageOf(busiest) : 0;
  return {
    heartbeats,
    handshakes,
    disconnects: handshakes,
    resumes,
    acknowledgements,
    posts,
    httpReads,
    requests: heartbeats + handshakes * 2 + resumes + acknowledgements + posts + httpReads,
    publishedMessages: messagesPerSecond + receipts,
    sessionWriteUnits: perSecond(usage.writeUnits),
    sessionReadUnits: perSecond(usage.readUnits),
    historyWriteUnits: perSecond(usage.replay?.historyWriteUnits ?? 0),
    historyReadUnits: perSecond(usage.replay?.historyReadUnits ?? 0),
    concurrency,
    concurrentExecutions: Math.max(
      Object.values(concurrency).reduce((sum, each) => sum + each, 0),
      invocations / LIMITS.invocationsPerConcurrentExecution,
    ),
    waitingMessages: replays ? 0 : waitingMessages(messagesPerSecond, busiest),
  };
}

/** Each message to a user who is away waits until the user is back, or until its last attempt. */
function waitingMessages(messagesPerSecond: number, workload: Workload): number {
  const { awayShare, minutesAway, maxAttempts, backoff } = workload;
  const { longest } = retryWindowSeconds(maxAttempts, backoff);
  return messagesPerSecond * awayShare * Math.min(minutesAway * 60, longest);
}
