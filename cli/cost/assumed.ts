/** A month of 730 hours, as AWS counts it, in minutes. */
export const MINUTES_A_MONTH = 730 * 60;

/**
 * The billing increments of a message's size: https://aws.amazon.com/api-gateway/pricing/, /sns/pricing/, /sqs/pricing/,
 * /dynamodb/pricing/on-demand/, /appsync/pricing/, /iot-core/pricing/additional-details/
 */
export const INCREMENTS_KB = {
  delivery: 32,
  publish: 64,
  queueRequest: 64,
  write: 1,
  read: 4,
  httpRequest: 512,
  appSyncEvents: 5,
  iotCore: 5,
} as const;

export function increments(kb: number, ofKb: number): number {
  return Math.max(1, Math.ceil(kb / ofKb));
}

/** Figures that no price list has: from the code, or measured on one machine and rounded up. */
export const ASSUMED = {
  memoryGb: 0.5,
  connectSeconds: 0.06,
  disconnectSeconds: 0.03,
  deliverSeconds: 0.04,
  /** One metric document, by the default log levels. tests/bench compares it with the functions' real lines. */
  logKbPerInvocation: 0.33,
  /** The connection's lookup is written. */
  lookupWriteUnitsPerConnection: 1,
  /** The session and the block together, the block again, and the lookup at the end. */
  readUnitsPerConnection: 4,
  /** Size of a session's row: keys, the newest connection's attributes, and the revision. */
  rowKb: 0.25,
  /** Size of each connection in it. */
  rowKbPerConnection: 0.13,
  /** Five pollers with long polls of 20 s. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  idlePollsPerMinute: 15,
} as const;

/** Seconds between two heartbeats of an idle client of the client library, by its defaults. A test compares them with the library. */
export const HEARTBEAT_SECONDS = { retry: 30, replay: 240 } as const;

/** Messages of a user over one connection, if the traffic does not say how many. */
export const MESSAGES_PER_CONNECTION = 10;

/** The same figures for replay mode. */
export const REPLAY_ASSUMED = {
  deliverSeconds: 0.05,
  resumeSeconds: 0.05,
  acknowledgeSeconds: 0.03,
  expireSeconds: 0.03,
  /** Size of an envelope besides its body: ID, epoch, number, and the escapes of JSON in JSON. */
  envelopeKb: 0.2,
  /** Size of a segment besides its messages: keys, times, epoch, and what deduplication carries forward. */
  segmentKb: 0.25,
  /** Size of a message in a segment besides its body: its id and its time. */
  storedMessageKb: 0.06,
  /** What compression leaves of a body of JSON. */
  compressed: 0.65,
  /** The overhead that DynamoDB adds to each stored item. https://aws.amazon.com/dynamodb/pricing/on-demand/ */
  itemOverheadKb: 0.1,
  /** A segment's TTL is this much later than its end: three days, or a quarter of the retention. */
  ttlSlack: { seconds: 3 * 86_400, ofRetention: 0.25 },
  /**
   * For each retention in which a user has messages, and had some in the one before: the line in the index of due sessions, written
   * and deleted, and the segment that has carried it.
   */
  writeUnitsPerVisit: 3,
  /** The index, the cursor, the segment that brings the visit, and the log's end. */
  readUnitsPerVisit: 3.5,
  /** Read with the session when a client connects. */
  markerReadUnitsPerConnection: 1,
  /** Size of the marker of a session. */
  markerKb: 0.1,
  flushSeconds: 0.05,
  /** A flush request is sent, received and deleted. */
  queueRequestsPerFlush: 3,
  /** The session's row. */
  sessionReadsPerFlush: 1,
  /** The lease is taken, and released with the new cursor. */
  writeUnitsPerLease: 2,
  /** The log from the cursor on; the lease has the cursor. */
  historyReadsPerFlush: 1,
  /** The lookup and the session. */
  sessionReadsPerResume: 2,
  /** The cursor, the tail, and the first segment of the page. */
  historyReadsPerResume: 3,
  /** The segment of the cursor, and the cursor itself. */
  historyReadsPerAck: 2,
  httpReadSeconds: 0.05,
  /** The block of the user. */
  sessionReadsPerHttpRead: 1,
  /** The tail, and the first segment of the page. */
  historyReadsPerHttpRead: 2,
  /** The index of due sessions has eight parts, and the sweeper is called for each of them every minute. */
  sweepsPerMinute: 8,
  receiptsPerPublish: 10,
} as const;

/** Write units of a connection: its lookup; the session's row is written, and is deleted or, if others remain, written once more. */
export function writeUnitsPerConnection(connectionsPerSession: number): number {
  const rowUnits = increments(rowKbOf(connectionsPerSession), INCREMENTS_KB.write);
  return ASSUMED.lookupWriteUnitsPerConnection + rowUnits * (2 + othersRemain(connectionsPerSession));
}

/** Read units of a connection. The row is read before it is written without the connection. */
export function readUnitsPerConnection(connectionsPerSession: number): number {
  return ASSUMED.readUnitsPerConnection + othersRemain(connectionsPerSession);
}

/** Size of a session's row. */
export function rowKbOf(connectionsPerSession: number): number {
  return ASSUMED.rowKb + connectionsPerSession * ASSUMED.rowKbPerConnection;
}

/** Share of the connections that end while others of their session remain: all but the last one. */
function othersRemain(connectionsPerSession: number): number {
  return 1 - 1 / connectionsPerSession;
}
