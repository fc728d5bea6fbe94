import { parseCookie } from "cookie";
import { type Handshake, headerValues } from "./handshake";
import type { Checked } from "./session";
import { subprotocolTokens } from "./subprotocol";

/** A token, and where it stood. Only an Authorization header is out of reach for the scripts of any page that asks. */
export interface Credential {
  token: string;
  source: "authorization" | "subprotocol" | "cookie";
}

/**
 * The token: `Authorization: Bearer` first, then the subprotocol, then the cookie. One that is there but unusable is an
 * answer too: falling back to the next would let a client that means one user connect as another.
 */
export function credentialOf(handshake: Handshake, cookieName: string): Checked<Credential> {
  // Authentication schemes are case-insensitive (RFC 9110, 11.1); another scheme is meant for someone else.
  const bearers = headerValues(handshake, "authorization").filter((value) => /^\s*bearer(\s|$)/i.test(value));
  if (bearers.length > 0) {
    // token68 of RFC 6750, 2.1
    const token = bearers.length === 1 ? /^\s*bearer +([\w.~+/-]+=*)\s*$/i.exec(bearers[0] as string)?.[1] : undefined;
    return token ? { value: { token, source: "authorization" } } : { reason: "the Authorization header is malformed" };
  }
  const [token, another] = subprotocolTokens(handshake);
  if (token !== undefined) {
    // A token of RFC 9110, 5.6.2: what a subprotocol may consist of.
    return another === undefined && /^[\w!#$%&'*+.^`|~-]+$/.test(token)
      ? { value: { token, source: "subprotocol" } }
      : { reason: "the subprotocol that carries the token is malformed" };
  }
  const cookie = cookiesOf(handshake)[cookieName];
  return cookie
    ? { value: { token: cookie, source: "cookie" } }
    : { reason: "there is no token: neither a Bearer, nor a subprotocol, nor a cookie" };
}

export function cookiesOf(handshake: Handshake): Record<string, string | undefined> {
  return parseCookie(headerValues(handshake, "cookie").join("; "));
}
