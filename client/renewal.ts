/** A connection is replaced after 75 to 95 % of its lifetime. */
const EARLIEST = 0.75;
const SPREAD = 0.2;
/** Without a minimum, a provider that returns the same token until shortly before its expiry would cause ever faster replacements. */
export const MIN_RENEWAL_MS = 10_000;

/**
 * Time until a connection that has just opened is replaced: before the gateway ends it, and before its token expires. It is
 * random, so that clients that connected at the same time are not replaced at the same time.
 *
 * @param expiresInMs Time until the token expires. 0 or less if it has expired by this device's clock although the relay
 * accepted it.
 */
export function renewalDelayMs(maxConnectionMs: number, expiresInMs: number, random: () => number): number {
  const part = EARLIEST + SPREAD * random();
  const longest = maxConnectionMs * part;
  return expiresInMs > 0 ? Math.min(longest, Math.max(expiresInMs * part, MIN_RENEWAL_MS)) : longest;
}
