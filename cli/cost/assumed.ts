/** The hours of a month as AWS counts them, in minutes. */
export const MINUTES_A_MONTH = 730 * 60;

/**
 * What a message of so many KB counts as: https://aws.amazon.com/api-gateway/pricing/, /sns/pricing/, /sqs/pricing/,
 * /dynamodb/pricing/on-demand/
 */
export const INCREMENTS_KB = { delivery: 32, publish: 64, queueRequest: 64, write: 1, read: 4 } as const;

export function increments(kb: number, ofKb: number): number {
  return Math.max(1, Math.ceil(kb / ofKb));
}

/** What no price list says: read off the code, or measured on one machine and rounded up. */
export const ASSUMED = {
  memoryGb: 0.5,
  connectSeconds: 0.06,
  disconnectSeconds: 0.03,
  deliverSeconds: 0.04,
  /** Lambda's own lines, and the metrics. */
  logKbPerInvocation: 1.5,
  logKbPerAttempt: 0.4,
  /** The connection's item and the session's row are written and deleted, each in the table and in its index. */
  writeUnitsPerConnection: 8,
  /** The block twice, consistently: one unit each; the index once: half a unit. */
  readUnitsPerConnection: 2.5,
  /** Five pollers, each for 20 s at a time. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  idlePollsPerMinute: 15,
} as const;

/** The same for what there is in replay mode alone. */
export const REPLAY_ASSUMED = {
  deliverSeconds: 0.06,
  resumeSeconds: 0.05,
  acknowledgeSeconds: 0.03,
  expireSeconds: 0.1,
  /** Of an envelope beside its body: id, epoch, number, and the escapes of JSON in JSON. */
  envelopeKb: 0.2,
  /** Of an entry beside its body: its keys, the user's and the context's names, its times. */
  entryKb: 0.3,
  /** The lookup item beside those of retry mode: written and deleted, in the table and in the index. */
  writeUnitsPerConnection: 12,
  /** Of a message beside its entry: its claim, and its line in the index by expiry, with 100 bytes for each item. */
  claimAndIndexKb: 0.7,
  /** Claims are garbage a day after the retention, which the table's own expiry takes away for nothing. */
  claimRetentionSeconds: 86_400,
  /** A resume reads the tail, the oldest number and what is acknowledged: the last one is small. */
  smallReadsPerResume: 1,
  /** The index by expiry, in eight parts, every minute. */
  expiryQueriesPerMinute: 8,
  /** Its entry, the tail, what is acknowledged, and two pages, where a session has one message to delete at a time. */
  readsPerDeletion: 5,
} as const;
