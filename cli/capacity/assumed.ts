/** Room above the rates: requests are not spread evenly, and a gateway's limits are targets, not guarantees. */
export const HEADROOM = 1.25;

/**
 * From a request to the start of its handler, where no environment is free. AWS: from under 100 ms to over a second.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export const COLD_START_SECONDS = 0.5;

/** A client acknowledges at most once in this time, by the relay's `ackSeconds` with receipts. A test compares the two. */
export const SECONDS_BETWEEN_ACKS = 5;

/** Below this, throttling is no concern: a client spreads its first attempts to reconnect over this time. */
export const LEAST_RECONNECT_SECONDS = 10;
