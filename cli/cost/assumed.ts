/** A month of 730 hours, as AWS counts it, in minutes. */
export const MINUTES_A_MONTH = 730 * 60;

/**
 * The billing increments of a message's size: https://aws.amazon.com/api-gateway/pricing/, /sns/pricing/, /sqs/pricing/,
 * /dynamodb/pricing/on-demand/
 */
export const INCREMENTS_KB = { delivery: 32, publish: 64, queueRequest: 64, write: 1, read: 4 } as const;

export function increments(kb: number, ofKb: number): number {
  return Math.max(1, Math.ceil(kb / ofKb));
}

/** Figures that no price list has: from the code, or measured on one machine and rounded up. */
export const ASSUMED = {
  memoryGb: 0.5,
  connectSeconds: 0.06,
  disconnectSeconds: 0.03,
  deliverSeconds: 0.04,
  /** Lambda's own log lines, and the metrics. */
  logKbPerInvocation: 1.5,
  logKbPerAttempt: 0.4,
  /** The connection's item and the session's item are written and deleted, each in the table and in its index. */
  writeUnitsPerConnection: 8,
  /** The block is read twice, consistently: one unit each; the index once: half a unit. */
  readUnitsPerConnection: 2.5,
  /** Five pollers with long polls of 20 s. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
  idlePollsPerMinute: 15,
} as const;

/** The same figures for replay mode. */
export const REPLAY_ASSUMED = {
  deliverSeconds: 0.06,
  resumeSeconds: 0.05,
  acknowledgeSeconds: 0.03,
  expireSeconds: 0.1,
  /** Size of an envelope besides its body: ID, epoch, number, and the escapes of JSON in JSON. */
  envelopeKb: 0.2,
  /** Size of an entry besides its body: its keys, the user, the context, and its times. */
  entryKb: 0.3,
  /** The lookup item besides the items of retry mode: written and deleted, in the table and in the index. */
  writeUnitsPerConnection: 12,
  /** Storage of a message besides its entry: its claim and its line in the index by expiry, with 100 bytes for each item. */
  claimAndIndexKb: 0.7,
  /** A claim is kept for a day after the retention; then the table's TTL deletes it at no cost. */
  claimRetentionSeconds: 86_400,
  /** A resume reads the tail, the oldest number and the acknowledged one: the last read is small. */
  smallReadsPerResume: 1,
  /** The index by expiry has eight parts, each queried every minute. */
  expiryQueriesPerMinute: 8,
  /** The entry, the tail, the acknowledged number, and two pages, if a session has one message to delete at a time. */
  readsPerDeletion: 5,
} as const;
