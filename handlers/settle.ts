import pLimit from "p-limit";
import { type Backoff, backoffSeconds } from "./backoff";
import type { Attempted } from "./deliverBatch";
import { errorFields, type Log } from "./log";
import { ageMs, deadLetterOf, idsOf, type Message } from "./message";
import { METRICS, type Metrics } from "./metrics";
import type { MessageQueue } from "./queue";
import { stableReason } from "./reasons";

export interface SettleDependencies {
  queue: MessageQueue;
  metrics: Metrics;
  /** How often a message is tried before it is dead-lettered. */
  maxAttempts: number;
  backoff: Backoff;
  /** Epoch milliseconds. */
  now: () => number;
  /** Answers from [0, 1). */
  random: () => number;
  log: Log;
}

/** Letters under way at a time: a request that waits for one of the SDK's 50 sockets runs into its connection time-out. */
const MAX_PARALLEL_LETTERS = 25;

/**
 * Dead-letters what is not to be tried again, and has the rest come back when it is due.
 *
 * @returns the queue's ids of the messages that are to be reported as failed.
 */
export async function settle(
  attempted: readonly Attempted[],
  dependencies: SettleDependencies,
  signal: AbortSignal,
): Promise<string[]> {
  const { queue, metrics, maxAttempts, now } = dependencies;
  const settled = await pLimit(MAX_PARALLEL_LETTERS).map(attempted, async ({ message, outcome }) => {
    if (outcome.kind === "delivered") return [];
    metrics.add(METRICS.ageAtFailedAttempt, ageMs(message, now()));
    const isLast = outcome.kind === "undeliverable" || message.attempt >= maxAttempts;
    const isSafe = isLast && (await deadLettered(message, outcome.reason, dependencies, signal));
    metrics.add(isSafe ? METRICS.deadLettered : METRICS.retried, 1, stableReason(outcome.reason));
    if (isSafe) return [];
    const visibilityTimeoutSeconds =
      outcome.kind === "not-reached" && !isLast ? 0 : secondsUntilNextAttempt(message, outcome.kind, dependencies);
    return [{ ...idsOf(message), receiptHandle: message.receiptHandle, visibilityTimeoutSeconds }];
  });
  const failed = settled.flat();
  if (failed.length > 0) await queue.changeVisibility(failed, signal);
  return failed.map(({ sqsMessageId }) => sqsMessageId);
}

/** The back-off; but a message that expires meanwhile is looked at as soon as it has, and dead-lettered then. */
function secondsUntilNextAttempt(
  { attempt, expiresAtMs }: Message,
  kind: Attempted["outcome"]["kind"],
  { backoff, now, random }: SettleDependencies,
): number {
  const wait = backoffSeconds(attempt, backoff, random);
  // An undeliverable one is only here because its letter could not be sent: without back-off, the queue's own redrive
  // would soon move it without a reason.
  if (expiresAtMs === undefined || kind === "undeliverable") return wait;
  return Math.min(wait, Math.max(1, Math.ceil((expiresAtMs - now()) / 1000)));
}

/** Whether the message is safe in the dead-letter queue. */
async function deadLettered(
  message: Message,
  reason: string,
  { queue, log }: SettleDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const { attempt } = message;
  const letter = deadLetterOf(message, reason, attempt);
  try {
    await queue.deadLetter(letter, signal);
  } catch (error) {
    log.error("not dead-lettered: to be tried again", { ...idsOf(message), attempt, reason, ...errorFields(error) });
    return false;
  }
  const droppedAttributes = letter.dropped.length > 0 ? letter.dropped : undefined;
  const originalMessageId = letter.attributes.originalMessageId?.stringValue;
  log.warn("dead-lettered", { ...idsOf(message), originalMessageId, attempt, reason, droppedAttributes });
  return true;
}
