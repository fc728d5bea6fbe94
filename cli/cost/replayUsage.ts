import { ASSUMED, increments, INCREMENTS_KB, MINUTES_A_MONTH, REPLAY_ASSUMED } from "./assumed";
import type { Usage } from "./usage";
import { awayMessageOf, openedOf, publishesOf, type Workload } from "./workload";

const KB_A_GB = 1024 ** 2;

/**
 * The usage of a month in replay mode: a batch's messages of one user are stored together, in a segment, and then acknowledged by
 * the client or expired. A returning user receives the missed messages in frames of many messages.
 */
export function replayUsageOf(workload: Workload): Usage {
  const { messages, messageKb, batchSize, messagesPerAck, messagesPerReturn, ordering } = workload;
  const { delivery, queueRequest, write, read } = INCREMENTS_KB;
  const opened = openedOf(workload);
  const connectionMinutes = workload.connections * MINUTES_A_MONTH;
  const away = messages * workload.awayShare;
  const live = messages - away;
  const returns = awayMessageOf(workload).becomes === "delivered" ? away / messagesPerReturn : 0;
  // Every connection starts with a resume, and every return with a connection.
  const resumes = Math.max(opened, returns);
  const acks = live / messagesPerAck + returns;
  const batches = messages / batchSize;
  const segments = batches * Math.min(workload.usersPerBatch, batchSize);
  const messagesPerSegment = messages > 0 ? messages / segments : 1;
  const visits = messages / Math.max(workload.messagesPerRetention, messagesPerSegment);
  const minutes = MINUTES_A_MONTH;
  const sweeps = REPLAY_ASSUMED.sweepsPerMinute * minutes;

  const envelopeKb = messageKb + REPLAY_ASSUMED.envelopeKb;
  const segmentKb = segmentKbOf(messageKb, messagesPerSegment);
  const pageKb = segmentKbOf(messageKb, 1) * messagesPerReturn;
  const invocations = batches + 2 * opened + resumes + acks + sweeps;
  const receipts = workload.receipts ? acks + (away - returns * messagesPerReturn) : 0;
  return {
    deliveries:
      // The messages of a segment share a frame.
      live * (increments(envelopeKb * messagesPerSegment, delivery) / messagesPerSegment) +
      returns * increments(envelopeKb * messagesPerReturn, delivery) +
      (resumes - returns),
    pings: connectionMinutes * workload.pingsPerMinute * 2,
    connectionMinutes,
    publishes: publishesOf(workload),
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
        sweeps * REPLAY_ASSUMED.expireSeconds),
    writeUnits: opened * ASSUMED.writeUnitsPerConnection,
    // The sessions of a batch; the lookup of each frame from a client, and a resume's session.
    readUnits:
      segments + opened * ASSUMED.readUnitsPerConnection + resumes * REPLAY_ASSUMED.sessionReadsPerResume + acks,
    // Without the metric line of a sweep with nothing due, which is 0.1 GB a month for all shards.
    logGb: ((invocations - sweeps) * ASSUMED.logKbPerInvocation) / KB_A_GB,
    replay: {
      clientFrames: resumes + acks,
      // TTL deletes segments for free.
      historyWriteUnits: segments * increments(segmentKb, write) + acks + visits * REPLAY_ASSUMED.writeUnitsPerVisit,
      historyReadUnits:
        // The tail before each segment.
        segments * increments(segmentKb, read) +
        resumes * REPLAY_ASSUMED.historyReadsPerResume +
        returns * (increments(pageKb, read) - 1) +
        acks * REPLAY_ASSUMED.historyReadsPerAck +
        visits * REPLAY_ASSUMED.readUnitsPerVisit +
        sweeps * 0.5,
      historyGbMonths:
        ((segments * (segmentKb + REPLAY_ASSUMED.itemOverheadKb)) / KB_A_GB) * (keptSeconds(workload) / 60 / minutes),
      receipts,
      publishedGb: ordering === "strict" ? (messages * messageKb) / KB_A_GB : 0,
    },
  };
}

function segmentKbOf(messageKb: number, messages: number): number {
  const { segmentKb, storedMessageKb, compressed } = REPLAY_ASSUMED;
  return segmentKb + messages * (storedMessageKb + messageKb * compressed);
}

/** Until the TTL of a segment. */
function keptSeconds({ historyRetentionSeconds }: Workload): number {
  const { seconds, ofRetention } = REPLAY_ASSUMED.ttlSlack;
  return historyRetentionSeconds + Math.max(seconds, historyRetentionSeconds * ofRetention);
}
