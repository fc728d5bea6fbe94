import { RefusedTokenError } from "./tokenErrors";

/**
 * Refuses a token by its `exp` before its key is looked up, so before its signature is verified. After a rotation a browser
 * may have a stale cookie next to a valid one: the key that the stale one names is unknown, and while unknown keys may not be
 * fetched, that would fail the handshake.
 *
 * @throws RefusedTokenError if `exp` has passed.
 */
export function refuseExpired(exp: unknown, clockToleranceSeconds: number): void {
  const nowSeconds = Math.floor(Date.now() / 1000);
  if (typeof exp === "number" && exp <= nowSeconds - clockToleranceSeconds) {
    throw new RefusedTokenError("the claim exp has passed");
  }
}
