import pLimit from "p-limit";
import { errorFields, type Log } from "../log";
import { ageMs, deadLetterOf, idsOf, type QueuedMessage } from "../messages/message";
import { countDeadLetter } from "../messages/countDeadLetter";
import { isUserAway, stableReason } from "../messages/reasons";
import { METRICS, type Metrics } from "../metrics";
import type { MessageQueue } from "../queue/queue";
import { type Backoff, backoffSeconds } from "./backoff";
import type { Attempted } from "./outcome";

export interface SettleDependencies {
  queue: MessageQueue;
  metrics: Metrics;
  /** The number of attempts before a message is dead-lettered. */
  maxAttempts: number;
  backoff: Backoff;
  /**
   * Called with the messages that the dead-letter queue has accepted; if it throws, they are retried and dead-lettered again.
   *
   * @default not called
   */
  onDeadLettered?: (dead: readonly DeadLettered[], signal: AbortSignal) => Promise<void>;
  /** Epoch milliseconds. */
  now: () => number;
  /** Returns a number in [0, 1). */
  random: () => number;
  log: Log;
}

/** A message that the dead-letter queue has accepted. */
export type DeadLettered = Pick<Attempted, "message" | "cursor"> & { reason: string };

/** Parallel dead letters: a request that waits for one of the SDK's 50 sockets exceeds its connection timeout. */
const MAX_PARALLEL_DEAD_LETTERS = 25;

/**
 * Dead-letters the messages that are not retried, unless a connection has taken them, and makes the others visible again after
 * their back-off.
 *
 * @returns the queue's ids of the messages to report as failed.
 */
export async function settle(
  attempted: readonly Attempted[],
  dependencies: SettleDependencies,
  signal: AbortSignal,
): Promise<string[]> {
  const { queue, metrics, maxAttempts, now } = dependencies;
  const open = attempted.flatMap((each) => {
    const { message, outcome, cursor } = each;
    if (outcome.kind === "delivered") countDelivered(each, dependencies);
    if (outcome.kind === "delivered" || outcome.kind === "stored" || outcome.kind === "duplicate") return [];
    const { reason } = outcome;
    const isLast = outcome.kind === "undeliverable" || message.attempt >= maxAttempts;
    if (isLast && each.isTaken) {
      giveUpOthers(each, reason, dependencies);
      return [];
    }
    return [{ message, outcome, cursor, reason, isLast }];
  });
  const last = open.filter(({ isLast }) => isLast);
  const taken = await pLimit(MAX_PARALLEL_DEAD_LETTERS).map(linesOf(last), async (line) => {
    const safe: typeof line = [];
    for (const each of line) {
      // The messages behind it in its line would enter the dead-letter queue before it.
      if (!(await deadLettered(each.message, each.reason, dependencies, signal))) break;
      safe.push(each);
    }
    return safe;
  });
  const dead = new Set((await announced(taken.flat(), dependencies, signal)).map(({ message }) => message));

  const failed = open.flatMap(({ message, outcome, reason, isLast }) => {
    const isDead = dead.has(message);
    // A user who is away would hide how old the other messages are. But the queue itself moves or drops what cannot be
    // dead-lettered, and no other metric tells.
    if (!isUserAway(reason) || (isLast && !isDead)) metrics.add(METRICS.ageAtFailedAttempt, ageMs(message, now()));
    if (isDead) {
      countDeadLetter(metrics, reason);
      return [];
    }
    metrics.add(METRICS.retried, 1, stableReason(reason));
    const visibilityTimeoutSeconds =
      outcome.kind === "not-reached" && !isLast ? 0 : secondsUntilNextAttempt(message, outcome.kind, dependencies);
    return [{ ...idsOf(message), receiptHandle: message.receiptHandle, visibilityTimeoutSeconds }];
  });
  if (failed.length > 0) await queue.changeVisibility(failed, signal);
  return failed.map(({ sqsMessageId }) => sqsMessageId);
}

/** Once for each message, when it leaves the queue. */
function countDelivered({ message, acceptedAtMs }: Attempted, { metrics, now }: SettleDependencies): void {
  metrics.add(METRICS.delivered, 1);
  metrics.add(METRICS.ageAtDelivery, ageMs(message, acceptedAtMs ?? now()));
}

/** A dead letter would have an operator redrive what a client has. */
function giveUpOthers(attempted: Attempted, reason: string, dependencies: SettleDependencies): void {
  const { message, missedBy } = attempted;
  countDelivered(attempted, dependencies);
  const fields = { ...idsOf(message), attempt: message.attempt, reason, missedBy };
  dependencies.log.warn("delivered, but not to all connections", fields);
}

/** Messages of one group of a FIFO queue form a line, sent one after the other; any other message is its own line. */
function linesOf<T extends { message: QueuedMessage }>(each: readonly T[]): T[][] {
  const lines = new Map<unknown, T[]>();
  for (const one of each) {
    const { isInOrder, messageGroupId } = one.message;
    const line = isInOrder ? messageGroupId : one;
    lines.set(line, [...(lines.get(line) ?? []), one]);
  }
  return [...lines.values()];
}

/** The dead-lettered messages that the queue may delete: all, or none. */
async function announced<T extends DeadLettered>(
  dead: T[],
  { onDeadLettered, log }: SettleDependencies,
  signal: AbortSignal,
): Promise<T[]> {
  if (dead.length === 0 || !onDeadLettered) return dead;
  try {
    await onDeadLettered(dead, signal);
    return dead;
  } catch (error) {
    const sqsMessageIds = dead.map(({ message }) => message.sqsMessageId);
    log.error("receipts of dead letters not published: will be retried", { sqsMessageIds, ...errorFields(error) });
    return [];
  }
}

/** The back-off; shorter if the message expires meanwhile, so that it is dead-lettered as soon as it has. */
function secondsUntilNextAttempt(
  { attempt, expiresAtMs }: QueuedMessage,
  kind: Attempted["outcome"]["kind"],
  { backoff, now, random }: SettleDependencies,
): number {
  const wait = backoffSeconds(attempt, backoff, random);
  // An undeliverable message is only here because its dead letter could not be sent: without a back-off, the queue's redrive
  // would soon move it without a reason.
  if (expiresAtMs === undefined || kind === "undeliverable") return wait;
  return Math.min(wait, Math.max(1, Math.ceil((expiresAtMs - now()) / 1000)));
}

/** Whether the message is safe in the dead-letter queue. */
async function deadLettered(
  message: QueuedMessage,
  reason: string,
  { queue, log }: SettleDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  const { attempt } = message;
  const deadLetter = deadLetterOf(message, reason, attempt);
  try {
    await queue.deadLetter(deadLetter, signal);
  } catch (error) {
    log.error("not dead-lettered: will be retried", { ...idsOf(message), attempt, reason, ...errorFields(error) });
    return false;
  }
  const droppedAttributes = deadLetter.dropped.length > 0 ? deadLetter.dropped : undefined;
  const originalMessageId = deadLetter.attributes.originalMessageId?.stringValue;
  log.warn("dead-lettered", { ...idsOf(message), originalMessageId, attempt, reason, droppedAttributes });
  return true;
}
