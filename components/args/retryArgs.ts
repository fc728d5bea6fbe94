import { type Backoff, type RetryWindowSeconds, retryWindowSeconds } from "../../handlers/deliver/backoff";
import { maxMessageRetentionSeconds } from "../ingress/publisher";
import { refuse, refuseUnlessInteger } from "./refuse";

/** How often and for how long a message is tried, and in which batches. */
export interface RetryArgs {
  /** Attempts to deliver a message before it is dead-lettered, 1 to 995. @default 66 */
  maxAttempts?: number;
  /** Seconds before the second attempt; doubled with each further one. At least 1. @default 2 */
  backoffMinSeconds?: number;
  /** The longest pause between two attempts in seconds: what a client waits for at most after it came back. @default 120 */
  backoffMaxSeconds?: number;
  /** Messages that one invocation of `deliver` takes at most, 1 to 10,000. @default 10 */
  batchSize?: number;
  /** Seconds to wait for a batch to fill, 0 to 300; at least 1 where `batchSize` is over 10. @default 0 */
  maximumBatchingWindowInSeconds?: number;
  /** Invocations of `deliver` at one time, 2 to 1,000. @default 10 */
  maximumConcurrency?: number;
  /** Seconds for which the retry queue keeps a message; longer than the longest retry window, under 14 days. @default 345600 */
  messageRetentionSeconds?: number;
}

/** What follows from {@link RetryArgs}. */
export interface Retry {
  backoff: Backoff;
  retryWindowSeconds: RetryWindowSeconds;
  deliverTimeoutSeconds: number;
  visibilityTimeoutSeconds: number;
  maxReceiveCount: number;
}

export const retryDefaults = {
  maxAttempts: 66,
  backoffMinSeconds: 2,
  backoffMaxSeconds: 120,
  batchSize: 10,
  maximumBatchingWindowInSeconds: 0,
  maximumConcurrency: 10,
  messageRetentionSeconds: 345_600,
} satisfies Required<RetryArgs>;

/** Time for ten posts that all run into their time-outs, and for settling the batch afterwards. */
const deliverTimeoutSeconds = 30;

/** Receives beyond `maxAttempts` that crashes may use up before the queue itself moves a message. */
const spareReceives = 5;

/** SQS's limits. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const maxReceiveCountLimit = 1_000;
const maxVisibilityTimeoutSeconds = 43_200;

/** @throws pulumi.InputPropertyError where a value, or what several make together, is ruled out. */
export function resolveRetry(args: Required<RetryArgs>): Retry {
  const integer = (key: keyof RetryArgs, min: number, max: number) =>
    refuseUnlessInteger(key, args[key], min, max, retryDefaults[key]);
  integer("maxAttempts", 1, maxReceiveCountLimit - spareReceives);
  integer("maximumBatchingWindowInSeconds", 0, 300);
  integer("batchSize", 1, 10_000);
  integer("maximumConcurrency", 2, 1_000);
  // A redriven message keeps its enqueue time: the dead-letter queue, at 14 days, has to retain longer.
  integer("messageRetentionSeconds", 60, maxMessageRetentionSeconds - 1);

  const { maximumBatchingWindowInSeconds, batchSize, backoffMinSeconds, backoffMaxSeconds, maxAttempts } = args;
  // Six times the function's time-out, as AWS recommends for throttled invocations, and the window.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  const visibilityTimeoutSeconds = 6 * deliverTimeoutSeconds + maximumBatchingWindowInSeconds;
  // A visibility time-out ends 12 hours after the receive, whatever was used up before it was changed.
  integer("backoffMinSeconds", 1, maxVisibilityTimeoutSeconds - visibilityTimeoutSeconds);
  integer("backoffMaxSeconds", 1, maxVisibilityTimeoutSeconds - visibilityTimeoutSeconds);
  if (backoffMaxSeconds < backoffMinSeconds) {
    refuse(
      "backoffMaxSeconds",
      backoffMaxSeconds,
      `at least backoffMinSeconds (${backoffMinSeconds})`,
      "raise backoffMaxSeconds or lower backoffMinSeconds",
    );
  }
  if (batchSize > 10 && maximumBatchingWindowInSeconds < 1) {
    refuse(
      "maximumBatchingWindowInSeconds",
      maximumBatchingWindowInSeconds,
      `at least 1 where batchSize (${batchSize}) is over 10`,
      "set maximumBatchingWindowInSeconds to 1 or more, or batchSize to 10 or less",
    );
  }

  const backoff = { minSeconds: backoffMinSeconds, maxSeconds: backoffMaxSeconds };
  const { shortest, longest: pauses } = retryWindowSeconds(maxAttempts, backoff);
  // Each attempt may also wait for its batch to fill.
  const longest = pauses + (maxAttempts - 1) * maximumBatchingWindowInSeconds;
  if (longest >= args.messageRetentionSeconds) {
    refuse(
      "messageRetentionSeconds",
      args.messageRetentionSeconds,
      `over the longest retry window, which ${maxAttempts} attempts with pauses of ${backoff.minSeconds} to ` +
        `${backoff.maxSeconds} s and a batching window of ${maximumBatchingWindowInSeconds} s make ${longest} s: the queue would drop messages that are still being retried`,
      "raise messageRetentionSeconds, or lower maxAttempts, backoffMaxSeconds or the window",
    );
  }
  return {
    backoff,
    retryWindowSeconds: { shortest, longest },
    deliverTimeoutSeconds,
    visibilityTimeoutSeconds,
    maxReceiveCount: maxAttempts + spareReceives,
  };
}
