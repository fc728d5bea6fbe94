import {
  ASSUMED,
  increments,
  INCREMENTS_KB,
  MINUTES_A_MONTH,
  readUnitsPerConnection,
  REPLAY_ASSUMED,
  writeUnitsPerConnection,
} from "./assumed";
import type { Usage } from "./usage";
import {
  attemptsOf,
  awayMessageOf,
  heartbeatsIn,
  openedOf,
  publishesOf,
  sessionsPerMessageOf,
  type Workload,
} from "./workload";

const KB_A_GB = 1024 ** 2;

/**
 * The usage of a month in replay mode: a batch's messages of one session are stored together, in a segment, and then acknowledged
 * by the client or expired. A returning client receives the missed messages in frames of many messages, and a raw client one by one.
 */
export function replayUsageOf(workload: Workload): Usage {
  const { messages, messageKb, batchSize, messagesPerReturn, ordering, httpReads } = workload;
  const { connectionsPerSession, rawShare, scopedShare } = workload;
  const { delivery, queueRequest, write, read, httpRequest } = INCREMENTS_KB;
  const opened = openedOf(workload);
  const connectionMinutes = workload.connections * MINUTES_A_MONTH;
  const minutes = MINUTES_A_MONTH;
  const sweeps = REPLAY_ASSUMED.sweepsPerMinute * minutes;
  const batches = attemptsOf(workload) / batchSize;

  // A message for several sessions is stored for each of them.
  const stored = messages * sessionsPerMessageOf(workload);
  const segments = batches * Math.min(workload.usersPerBatch, batchSize) * sessionsPerMessageOf(workload);
  const messagesPerSegment = messages > 0 ? stored / segments : 1;
  const away = stored * workload.awayShare;
  const live = stored - away;
  const liveSegments = live / messagesPerSegment;
  const awayDelivered = awayDeliveredOf(workload);
  const returns = returnsOf(workload);
  const [rawReturns, rawLive] = [returns * rawShare, live * connectionsPerSession * rawShare];
  const [protocolReturns, protocolLive] = [returns - rawReturns, live * connectionsPerSession - rawLive];

  const { resumes, acknowledgements: acks } = clientFramesOf(workload);
  const flushes = Math.max(opened * rawShare, rawReturns);
  // The session's cursor moves with the first acknowledgement of a message.
  const moves = acks / connectionsPerSession;
  const leases = liveSegments * rawShare + flushes;
  const visits = stored / Math.max(messagesPerVisit(workload), messagesPerSegment);

  const envelopeKb = messageKb + REPLAY_ASSUMED.envelopeKb;
  const segmentKb = segmentKbOf(messageKb, messagesPerSegment);
  const pageKb = segmentKbOf(messageKb, 1) * messagesPerReturn;
  const markersKb = workload.sessionsPerScopedMessage * REPLAY_ASSUMED.markerKb;
  const invocations = batches + 2 * opened + resumes + flushes + acks + sweeps + httpReads;
  return {
    deliveries:
      // The messages of a segment share a frame.
      protocolLive * (increments(envelopeKb * messagesPerSegment, delivery) / messagesPerSegment) +
      protocolReturns * increments(envelopeKb * messagesPerReturn, delivery) +
      (resumes - protocolReturns) +
      (rawLive + rawReturns * messagesPerReturn) * increments(messageKb, delivery),
    pings: heartbeatsIn(connectionMinutes * 60, workload) * 2,
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
        flushes * REPLAY_ASSUMED.flushSeconds +
        acks * REPLAY_ASSUMED.acknowledgeSeconds +
        httpReads * REPLAY_ASSUMED.httpReadSeconds +
        sweeps * REPLAY_ASSUMED.expireSeconds),
    // And a session's marker, with its first connection of a day.
    writeUnits: opened * (writeUnitsPerConnection(connectionsPerSession) + 1 / workload.connectionsPerDay),
    // The sessions of a batch, and the markers of a scope; the lookup of each frame from a client, and a resume's session.
    readUnits:
      segments +
      messages * scopedShare * increments(markersKb, read) +
      opened * (readUnitsPerConnection(connectionsPerSession) + REPLAY_ASSUMED.markerReadUnitsPerConnection) +
      resumes * REPLAY_ASSUMED.sessionReadsPerResume +
      flushes * REPLAY_ASSUMED.sessionReadsPerFlush +
      httpReads * REPLAY_ASSUMED.sessionReadsPerHttpRead +
      acks,
    // Without the metric line of a sweep with nothing due, which is 0.1 GB a month for all shards.
    logGb: ((invocations - sweeps) * ASSUMED.logKbPerInvocation) / KB_A_GB,
    replay: {
      clientFrames: resumes + acks,
      // TTL deletes segments for free.
      historyWriteUnits:
        segments * increments(segmentKb, write) +
        moves +
        leases * REPLAY_ASSUMED.writeUnitsPerLease +
        visits * REPLAY_ASSUMED.writeUnitsPerVisit,
      historyReadUnits:
        // The tail before each segment.
        segments * increments(segmentKb, read) +
        resumes * REPLAY_ASSUMED.historyReadsPerResume +
        flushes * REPLAY_ASSUMED.historyReadsPerFlush +
        httpReads * REPLAY_ASSUMED.historyReadsPerHttpRead +
        (returns + httpReads) * (increments(pageKb, read) - 1) +
        acks * REPLAY_ASSUMED.historyReadsPerAck +
        visits * REPLAY_ASSUMED.readUnitsPerVisit +
        sweeps * 0.5,
      historyGbMonths:
        ((segments * (segmentKb + REPLAY_ASSUMED.itemOverheadKb)) / KB_A_GB) * (keptSeconds(workload) / 60 / minutes),
      receipts: workload.receipts ? moves + acceptedReceipts() + waitingReceipts() + (away - awayDelivered) : 0,
      publishedGb: ordering === "strict" ? (messages * messageKb) / KB_A_GB : 0,
      flushRequests: flushes * REPLAY_ASSUMED.queueRequestsPerFlush,
      // A page has what waits for a returning user.
      httpRequests: httpReads * increments(envelopeKb * messagesPerReturn, httpRequest),
      flushIdlePolls: workload.rawClients ? ASSUMED.idlePollsPerMinute * minutes : 0,
    },
  };

  /** With each lease in which something was posted. */
  function acceptedReceipts(): number {
    return (
      liveSegments * rawShare * publishesOfReceipts(messagesPerSegment) +
      (rawReturns / connectionsPerSession) * publishesOfReceipts(messagesPerReturn)
    );
  }

  /** Of the messages of users who stay away for longer. */
  function waitingReceipts(): number {
    const { waitingAfterSeconds = Infinity, minutesAway } = workload;
    return minutesAway * 60 > waitingAfterSeconds
      ? (away / messagesPerReturn) * publishesOfReceipts(messagesPerReturn)
      : 0;
  }
}

/** The frames from clients that reach a function. */
export interface ClientFrames {
  resumes: number;
  acknowledgements: number;
}

/** The frames of a month from clients that speak the protocol: raw ones send none. */
export function clientFramesOf(workload: Workload): ClientFrames {
  const { messages, awayShare, connectionsPerSession, messagesPerAck, rawShare } = workload;
  const protocolShare = 1 - rawShare;
  const live = messages * sessionsPerMessageOf(workload) * (1 - awayShare) * connectionsPerSession * protocolShare;
  const returns = returnsOf(workload) * protocolShare;
  return {
    // Every connection starts with a resume or a flush, and every return with a connection.
    resumes: Math.max(openedOf(workload) * protocolShare, returns),
    acknowledgements: live / messagesPerAck + returns,
  };
}

/** Messages that wait for a user, and reach the user in time. */
function awayDeliveredOf(workload: Workload): number {
  const { messages, awayShare } = workload;
  if (awayMessageOf(workload).becomes !== "delivered") return 0;
  return messages * sessionsPerMessageOf(workload) * awayShare;
}

/** Each connection of the session gets each message. */
function returnsOf(workload: Workload): number {
  return (awayDeliveredOf(workload) * workload.connectionsPerSession) / workload.messagesPerReturn;
}

/** The sweeper visits a session once for the messages of each retention, or of each `waitingAfterSeconds`. */
function messagesPerVisit({ messagesPerRetention, historyRetentionSeconds, waitingAfterSeconds }: Workload): number {
  if (waitingAfterSeconds === undefined) return messagesPerRetention;
  return messagesPerRetention * Math.min(1, waitingAfterSeconds / historyRetentionSeconds);
}

function publishesOfReceipts(receipts: number): number {
  return increments(receipts, REPLAY_ASSUMED.receiptsPerPublish);
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
