import { ASSUMED, increments, INCREMENTS_KB, MINUTES_A_MONTH, REPLAY_ASSUMED } from "./assumed";
import type { Usage } from "./usage";
import { awayMessageOf, type Workload } from "./workload";

const KB_A_GB = 1024 ** 2;

/**
 * The usage of a month in replay mode: each message is processed once, stored, and then acknowledged by its client or
 * expired. A returning user receives the missed messages in frames of many messages.
 */
export function replayUsageOf(workload: Workload): Usage {
  const { messages, messageKb, batchSize, messagesPerAck, messagesPerReturn, ordering } = workload;
  const { delivery, publish, queueRequest, write, read } = INCREMENTS_KB;
  const opened = (workload.connections * MINUTES_A_MONTH) / workload.connectionMinutes;
  const connectionMinutes = workload.connections * MINUTES_A_MONTH;
  const away = messages * workload.awayShare;
  const live = messages - away;
  const returns = awayMessageOf(workload).becomes === "delivered" ? away / messagesPerReturn : 0;
  // Every connection starts with a resume, and every return with a connection.
  const resumes = Math.max(opened, returns);
  const acks = live / messagesPerAck + returns;
  const batches = messages / batchSize;
  const minutes = MINUTES_A_MONTH;

  const envelopeKb = messageKb + REPLAY_ASSUMED.envelopeKb;
  const entryKb = messageKb + REPLAY_ASSUMED.entryKb;
  const entryReads = increments(entryKb, read);
  const invocations = batches + 2 * opened + resumes + acks + minutes;
  const retention = workload.historyRetentionSeconds;
  const claimShare = (retention + REPLAY_ASSUMED.claimRetentionSeconds) / retention;
  const storedKb = messages * (entryKb + REPLAY_ASSUMED.claimAndIndexKb * claimShare);
  const receipts = workload.receipts ? acks + (away - returns * messagesPerReturn) : 0;
  return {
    deliveries:
      live * increments(envelopeKb, delivery) +
      returns * increments(envelopeKb * messagesPerReturn, delivery) +
      (resumes - returns),
    pings: connectionMinutes * workload.pingsPerMinute * 2,
    connectionMinutes,
    publishes: messages * increments(messageKb, publish),
    queueRequests:
      messages * increments(messageKb, queueRequest) + batches * (increments(messageKb * batchSize, queueRequest) + 1),
    idlePolls: ASSUMED.idlePollsPerMinute * minutes,
    invocations,
    gbSeconds:
      ASSUMED.memoryGb *
      (batches * REPLAY_ASSUMED.deliverSeconds +
        opened * (ASSUMED.connectSeconds + ASSUMED.disconnectSeconds) +
        resumes * REPLAY_ASSUMED.resumeSeconds +
        acks * REPLAY_ASSUMED.acknowledgeSeconds +
        minutes * REPLAY_ASSUMED.expireSeconds),
    writeUnits: opened * REPLAY_ASSUMED.writeUnitsPerConnection,
    // The sessions of a batch; the lookup item of each frame from a client, and a resume's session.
    readUnits: messages + opened * ASSUMED.readUnitsPerConnection + resumes * 2 + acks,
    logGb: (invocations * ASSUMED.logKbPerInvocation + messages * ASSUMED.logKbPerAttempt) / KB_A_GB,
    replay: {
      clientFrames: resumes + acks,
      // Claim, entry and index line are written; entry and index line are also deleted.
      historyWriteUnits: messages * (1 + 2 * (increments(entryKb, write) + 1)) + acks,
      // The tail before each message, and the reads before its deletion; a resume's tail, oldest number, acknowledged number
      // and page; an ack's acknowledged number and entry.
      historyReadUnits:
        messages * (entryReads + REPLAY_ASSUMED.readsPerDeletion) +
        resumes * (2 * entryReads + REPLAY_ASSUMED.smallReadsPerResume) +
        (resumes - returns) +
        returns * increments(entryKb * messagesPerReturn, read) +
        acks * (1 + entryReads) +
        REPLAY_ASSUMED.expiryQueriesPerMinute * minutes * 0.5,
      historyGbMonths: (storedKb / KB_A_GB) * (retention / 60 / minutes),
      receipts,
      publishedGb: ordering === "strict" ? (messages * messageKb) / KB_A_GB : 0,
    },
  };
}
