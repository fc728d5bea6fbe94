/** The part of a connection's life after which it is replaced, at the earliest and at the latest. */
const EARLIEST = 0.75;
const LATEST = 0.95;
/** A provider that keeps handing out a token until shortly before its end would have it replaced ever faster. */
export const MIN_RENEWAL_MS = 10_000;

/**
 * When a connection that has just opened is replaced: before the gateway ends it, and before its token's end. At random
 * within a part of its life, so that clients which came together do not go together.
 *
 * @param expiresInMs Until the token's end. Not above 0: by this device's clock it has ended, but the relay took it.
 */
export function renewalDelayMs(maxConnectionMs: number, expiresInMs: number, random: () => number): number {
  const part = EARLIEST + (LATEST - EARLIEST) * random();
  const longest = maxConnectionMs * part;
  return expiresInMs > 0 ? Math.min(longest, Math.max(expiresInMs * part, MIN_RENEWAL_MS)) : longest;
}
