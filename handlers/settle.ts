import pLimit from "p-limit";
import { type Backoff, backoffSeconds } from "./backoff";
import type { Outcome } from "./deliverMessage";
import { errorFields, type Log } from "./log";
import { deadLetterOf, type Message } from "./message";
import type { MessageQueue } from "./queue";

export interface SettleDependencies {
  queue: MessageQueue;
  /** How often a message is tried before it is dead-lettered. */
  maxAttempts: number;
  backoff: Backoff;
  /** Answers from [0, 1). */
  random: () => number;
  log: Log;
}

/** A message, and what became of it. */
export interface Attempted {
  message: Message;
  outcome: Outcome;
}

/** Letters under way at a time: a request that waits for one of the SDK's 50 sockets runs into its connection time-out. */
const MAX_PARALLEL_LETTERS = 25;

/**
 * Dead-letters what is not to be tried again, and has the rest come back when it is due.
 *
 * @returns the ids of the messages that are to be reported as failed.
 */
export async function settle(
  attempted: readonly Attempted[],
  dependencies: SettleDependencies,
  signal: AbortSignal,
): Promise<string[]> {
  const { queue, maxAttempts, backoff, random } = dependencies;
  const settled = await pLimit(MAX_PARALLEL_LETTERS).map(attempted, async ({ message, outcome }) => {
    const { kind } = outcome;
    if (kind === "delivered") return [];
    const isLast = kind === "undeliverable" || message.attempt >= maxAttempts;
    if (isLast && (await deadLettered(message, outcome.reason, dependencies, signal))) return [];
    const visibilityTimeoutSeconds =
      kind === "not-reached" && !isLast ? 0 : backoffSeconds(message.attempt, backoff, random);
    return [{ ...message, visibilityTimeoutSeconds }];
  });
  const failed = settled.flat();
  if (failed.length > 0) {
    await queue.changeVisibility(
      failed.map(({ receiptHandle, visibilityTimeoutSeconds }) => ({ receiptHandle, visibilityTimeoutSeconds })),
      signal,
    );
  }
  return failed.map(({ messageId }) => messageId);
}

/** Whether the message is safe in the dead-letter queue. */
async function deadLettered(
  message: Message,
  reason: string,
  { queue, log }: SettleDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const { messageId, attempt } = message;
  const letter = deadLetterOf(message, reason, attempt);
  try {
    await queue.deadLetter(letter, signal);
  } catch (error) {
    log.error("not dead-lettered: to be tried again", { messageId, attempt, reason, ...errorFields(error) });
    return false;
  }
  const dropped = letter.dropped.length > 0 ? letter.dropped : undefined;
  const originalMessageId = letter.attributes.originalMessageId?.stringValue;
  log.warn("dead-lettered", { messageId, originalMessageId, attempt, reason, droppedAttributes: dropped });
  return true;
}
