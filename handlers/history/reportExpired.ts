import pLimit from "p-limit";
import type { Log } from "../log";
import { countDeadLetter } from "../messages/countDeadLetter";
import { type DeadLetter, deadLetterOf } from "../messages/message";
import { REASONS } from "../messages/reasons";
import { METRICS, type Metrics } from "../metrics";
import type { MessageQueue } from "../queue/queue";
import { receiptOf, type Receipts } from "../receipts/receipts";
import type { SessionKey } from "../sessions/sessionKey";
import type { Entry } from "./history";
import { publishedMessage } from "./publishedMessage";

export interface ReportDependencies {
  /** Undefined if expired messages are not dead-lettered. */
  deadLetters: Pick<MessageQueue, "deadLetter"> | undefined;
  receipts: Receipts;
  metrics: Metrics;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** Why a message has expired: by the history's retention, or by its publisher's `expiresAt`. */
export type ExpiryReason = "retention" | "expires-at";

/** A message that no client acknowledged in time, with its body. */
export interface Expired {
  entry: Entry;
  reason: ExpiryReason;
}

/** Parallel dead letters: with the other requests under way, below the SDK's 50 sockets. */
const MAX_PARALLEL_DEAD_LETTERS = 10;

/**
 * Reports expired messages at least once: to the dead-letter queue, the backend, the metrics and the log. Remove their
 * bodies only after it has resolved.
 *
 * @throws if the queue or the topic may not have accepted one.
 */
export async function reportExpired(
  key: SessionKey,
  expired: readonly Expired[],
  { deadLetters, receipts, metrics, now, log }: ReportDependencies,
  signal?: AbortSignal,
): Promise<void> {
  if (expired.length === 0) return;
  if (deadLetters) {
    await pLimit(MAX_PARALLEL_DEAD_LETTERS).map(expired, ({ entry }) =>
      deadLetters.deadLetter(expiredDeadLetter(key, entry), signal),
    );
  }
  const nowMs = now();
  const expiredReceipts = expired.map(({ entry: { messageId, epoch, seq }, reason }) =>
    receiptOf(key, { status: "expired", reason, messageId, epoch, seq }, nowMs),
  );
  await receipts.publish(expiredReceipts, signal);
  for (const { entry, reason } of expired) {
    const { messageId, seq } = entry;
    metrics.add(METRICS.expired, 1, reason);
    if (deadLetters) countDeadLetter(metrics, REASONS.expired);
    const { callerId, context } = key;
    log.warn("expired", { messageId, seq, callerId, context, reason, deadLettered: deadLetters !== undefined });
  }
}

/** As `deliver` would dead-letter the queue's message, which is long deleted. It cost no attempts. */
function expiredDeadLetter(key: SessionKey, entry: Entry): DeadLetter {
  return deadLetterOf(publishedMessage(key, entry), REASONS.expired, 0);
}
