/** The longest pause before the first attempt after a failure; doubled with each further one. */
export const BACKOFF_BASE_MS = 1_000;
/** The longest pause of all. */
export const BACKOFF_CAP_MS = 60_000;
/** A connection that has stood for as long is no failure: the next pause is a first one again. */
export const STABLE_CONNECTION_MS = 5_000;

/**
 * A pause with full jitter: anything from 0 to the exponential bound. Clients that lost their connections at one moment come
 * back spread over the whole of it, where a fixed part would bring them back together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt How many attempts have failed before: from 0.
 */
export function fullJitterMs(attempt: number, random: () => number, baseMs: number, capMs: number): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt);
}
