/** The longest pause after the first failure; it doubles with each further failure. */
export const BACKOFF_BASE_MS = 1_000;
/** The upper limit of all pauses. */
export const BACKOFF_CAP_MS = 60_000;
/** After a connection has been open for this long, the next failure counts as the first. */
export const STABLE_CONNECTION_MS = 5_000;

/**
 * A pause with full jitter: a random time from 0 to the exponential bound. Clients that lost their connections at the same
 * time then reconnect at different times; with a fixed part in the pause, they would reconnect together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt Number of attempts that have failed before, from 0.
 */
export function fullJitterMs(attempt: number, random: () => number, baseMs: number, capMs: number): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}
