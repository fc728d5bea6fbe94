/** How long a failed message waits before the next attempt: doubles from `minSeconds` up to `maxSeconds`. */
export interface Backoff {
  minSeconds: number;
  maxSeconds: number;
}

/** How long a message is retried before it is dead-lettered, shortest and longest, in seconds. */
export interface RetryWindowSeconds {
  /** The least seconds. */
  shortest: number;
  /** The most seconds. */
  longest: number;
}

/**
 * Whole seconds to wait after `attempt` (from 1) has failed: equal jitter, half fixed and half random, so that messages that
 * failed together do not come back together, yet none comes back at once.
 *
 * @param random Returns a number in [0, 1), like `Math.random`.
 */
export function backoffSeconds(attempt: number, backoff: Backoff, random: () => number): number {
  const longest = longestWait(attempt, backoff);
  const shortest = Math.ceil(longest / 2);
  return shortest + Math.floor(random() * (longest - shortest + 1));
}

/** The sum of the waits between attempts 1 and `maxAttempts`, without the attempts themselves. */
export function retryWindowSeconds(maxAttempts: number, backoff: Backoff): RetryWindowSeconds {
  const window = { shortest: 0, longest: 0 };
  for (let attempt = 1; attempt < maxAttempts; attempt++) {
    const longest = longestWait(attempt, backoff);
    window.shortest += Math.ceil(longest / 2);
    window.longest += longest;
  }
  return window;
}

function longestWait(attempt: number, { minSeconds, maxSeconds }: Backoff): number {
  // Visibility is 12 hours (2^15.4 s) at most: an exponent above 16 changes nothing, and could overflow.
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
  return Math.min(maxSeconds, minSeconds * 2 ** Math.min(attempt - 1, 16));
}
