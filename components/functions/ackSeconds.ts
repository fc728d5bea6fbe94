import type { ReplayParts } from "./relayFunction";

/** Seconds where a late acknowledgement has consequences: below the 30 seconds for which an expired message is not reported. */
const PROMPT_SECONDS = 5;

/** Clients resume at least every two hours, when API Gateway ends their connections. */
const LONG_RETENTION_SECONDS = 6 * 60 * 60;

/**
 * Within how many seconds clients are to acknowledge a message; undefined if that of their next resume is early enough. A
 * message is only dead-lettered as expired, and its receipt only late, if it was not acknowledged in time.
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
