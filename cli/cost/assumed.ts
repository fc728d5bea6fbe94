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
  /** The session's item is written and deleted, and the connection's lookup is written. */
  writeUnitsPerConnection: 3,
  /** The session and the block together, the block again, and the lookup at the end. */
  readUnitsPerConnection: 4,
  /** Five pollers with long polls of 20 s. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  idlePollsPerMinute: 15,
} as const;

/** The heartbeats of an idle client of the client library, by its defaults. A test compares them with the library. */
export const PINGS_PER_MINUTE = { retry: 2, replay: 0.25 } as const;

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
  /** The lookup and the session. */
  sessionReadsPerResume: 2,
  /** The cursor, the tail, and the first segment of the page. */
  historyReadsPerResume: 3,
  /** The segment of the cursor, and the cursor itself. */
  historyReadsPerAck: 2,
  /** The index of due sessions has eight parts, and the sweeper is called for each of them every minute. */
  sweepsPerMinute: 8,
} as const;
