import { type Backoff, type RetryWindowSeconds, retryWindowSeconds } from "../../handlers/deliver/backoff";
import { refuse, refuseUnlessInteger } from "./refuse";
import { spec } from "./spec";

/** How often and how long the relay tries to deliver a message, and in which batches. */
export interface RetryArgs {
  /** Attempts to deliver a message before it is dead-lettered, 1 to 995. @default 66 */
  maxAttempts?: number;
  /**
   * Seconds before the second attempt, 1 to 43,020. Each further pause is twice as long; half of each is random.
   * @default 2
   */
  backoffMinSeconds?: number;
  /**
   * Seconds of the longest pause between two attempts, 1 to 43,020: the longest that a client waits for a message after it
   * has reconnected. @default 120
   */
  backoffMaxSeconds?: number;
  /** Messages that one invocation of `deliver` takes at most, 1 to 10,000. @default 10 */
  batchSize?: number;
  /** Seconds to wait for a batch to fill, 0 to 300; at least 1 where `batchSize` is over 10. @default 0 */
  maximumBatchingWindowInSeconds?: number;
  /** Invocations of `deliver` at one time, 2 to 1,000. @default 10 */
  maximumConcurrency?: number;
  /**
   * Seconds for which the retry queue keeps a message, 60 to 1,209,599 (under 14 days), and longer than the longest retry
   * window. @default 345600
   */
  messageRetentionSeconds?: number;
}

/** Settings that are derived from {@link RetryArgs}. */
export interface ResolvedRetry {
  backoff: Backoff;
  retryWindowSeconds: RetryWindowSeconds;
  /** The age at which `deliver` gets a message for the third time, at the latest, if it has no backlog. */
  thirdReceiveSeconds: number;
  deliverTimeoutSeconds: number;
  visibilityTimeoutSeconds: number;
  maxReceiveCount: number;
}

/** Enough for ten posts that all time out, and for settling the batch afterwards. */
const deliverTimeoutSeconds = 30;

/** Receives beyond `maxAttempts` that crashes may use up before the queue itself moves a message. */
const spareReceives = 5;

/** @throws pulumi.InputPropertyError where a combination of values is ruled out. */
export function resolveRetry(args: Required<RetryArgs>): ResolvedRetry {
  const { maximumBatchingWindowInSeconds, batchSize, backoffMinSeconds, backoffMaxSeconds, maxAttempts } = args;
  // Six times the function's timeout, as AWS recommends for throttled invocations, plus the window.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  const visibilityTimeoutSeconds = 6 * deliverTimeoutSeconds + maximumBatchingWindowInSeconds;
  // A visibility timeout ends 12 hours after the receive, and the window may already have used its part of them.
  for (const key of ["backoffMinSeconds", "backoffMaxSeconds"] as const) {
    const { min, max, default: byDefault } = spec[key];
    refuseUnlessInteger(key, args[key], min, max - maximumBatchingWindowInSeconds, byDefault);
  }
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
    thirdReceiveSeconds: retryWindowSeconds(3, backoff).longest + 2 * maximumBatchingWindowInSeconds,
    deliverTimeoutSeconds,
    visibilityTimeoutSeconds,
    maxReceiveCount: maxAttempts + spareReceives,
  };
}
