import { type Backoff, type RetryWindowSeconds, retryWindowSeconds } from "../../handlers/deliver/backoff";
import { refuseUnlessAllAllowed } from "./options";
import { refuse, refuseUnlessInteger } from "./refuse";
import { spec } from "./spec";

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

/** Time for ten posts that all run into their time-outs, and for settling the batch afterwards. */
const deliverTimeoutSeconds = 30;

/** Receives beyond `maxAttempts` that crashes may use up before the queue itself moves a message. */
const spareReceives = 5;

/** @throws pulumi.InputPropertyError where a value, or what several make together, is ruled out. */
export function resolveRetry(args: Required<RetryArgs>): Retry {
  refuseUnlessAllAllowed(args, spec, [
    "maxAttempts",
    "maximumBatchingWindowInSeconds",
    "batchSize",
    "maximumConcurrency",
    "messageRetentionSeconds",
  ]);
  const { maximumBatchingWindowInSeconds, batchSize, backoffMinSeconds, backoffMaxSeconds, maxAttempts } = args;
  // Six times the function's time-out, as AWS recommends for throttled invocations, and the window.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  const visibilityTimeoutSeconds = 6 * deliverTimeoutSeconds + maximumBatchingWindowInSeconds;
  // A visibility timeout ends 12 hours after the receive, and the window may have used up its part of that.
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
    deliverTimeoutSeconds,
    visibilityTimeoutSeconds,
    maxReceiveCount: maxAttempts + spareReceives,
  };
}
