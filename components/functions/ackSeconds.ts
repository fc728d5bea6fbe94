import type { ReplayParts } from "./relayFunction";

/**
 * Less than the 30 seconds by which reports are delayed (REPORT_GRACE_MS), and than a third of the shortest `waitingAfterSeconds`:
 * a message that a client has handled gets no receipt `waiting`.
 */
const PROMPT_SECONDS = 5;

/** Clients resume at least every two hours, when API Gateway ends their connections. */
const LONG_RETENTION_SECONDS = 6 * 60 * 60;

/**
 * Within how many seconds clients are to acknowledge a message. Undefined if acknowledging with the next resume is soon enough.
 * If an acknowledgement comes after the retention, the message is reported as expired although it was shown.
 */
export function ackSeconds({
  receiptsTopic,
  deadLetterExpired,
  historyRetentionSeconds,
}: Pick<ReplayParts, "receiptsTopic" | "deadLetterExpired" | "historyRetentionSeconds">): number | undefined {
  if (receiptsTopic || deadLetterExpired) return PROMPT_SECONDS;
  if (historyRetentionSeconds >= LONG_RETENTION_SECONDS) return undefined;
  return Math.max(Math.floor(historyRetentionSeconds / 12), 60);
}
