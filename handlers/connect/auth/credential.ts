import { parseCookie } from "cookie";
import type { Checked } from "../../sessions/sessionKey";
import { type ClientRequest, headerValues } from "../clientRequest";
import { subprotocolTokens } from "../subprotocol";

/** The client's token and its source. Only an Authorization header is out of reach for a page's script. */
export interface Credential {
  /** More than one only from a cookie: each domain and path may have set its own under the same name. */
  tokens: readonly [string, ...string[]];
  source: "authorization" | "subprotocol" | "cookie";
}

/**
 * The token: `Authorization: Bearer` first, then the subprotocol, then the cookie. One that is present but unusable is
 * refused: falling back to the next would let a client that means one user connect as another.
 */
export function credentialOf(request: ClientRequest, cookieName: string): Checked<Credential> {
  const bearers = bearersOf(request);
  if (bearers.length > 0) {
    // token68 of RFC 6750, 2.1
    const token = bearers.length === 1 ? /^\s*bearer +([\w.~+/-]+=*)\s*$/i.exec(bearers[0] as string)?.[1] : undefined;
    return token
      ? { value: { tokens: [token], source: "authorization" } }
      : { reason: "the Authorization header is malformed" };
  }
  const [token, another] = subprotocolTokens(request);
  if (token !== undefined) {
    // A token of RFC 9110, 5.6.2: the characters of a subprotocol.
    return another === undefined && /^[\w!#$%&'*+.^`|~-]+$/.test(token)
      ? { value: { tokens: [token], source: "subprotocol" } }
      : { reason: "the subprotocol that carries the token is malformed" };
  }
  const [first, ...others] = cookieTokens(request, cookieName);
  return first === undefined
    ? { reason: "there is no token: neither a Bearer, nor a subprotocol, nor a cookie" }
    : { value: { tokens: [first, ...others], source: "cookie" } };
}

/** The values of `Authorization: Bearer`. */
export function bearersOf(request: ClientRequest): string[] {
  // Authentication schemes are case-insensitive (RFC 9110, 11.1); another scheme is meant for someone else.
  return headerValues(request, "authorization").filter((value) => /^\s*bearer(\s|$)/i.test(value));
}

/** The different values of one cookie, in the client's order. */
function cookieTokens(request: ClientRequest, cookieName: string): string[] {
  const values = cookiePairs(request).flatMap(([name, value]) => (name === cookieName ? [unquoted(value)] : []));
  return [...new Set(values)].filter((value) => value !== "");
}

/** Cookies by name; of several with one name, the first. */
export function cookiesOf(request: ClientRequest): Record<string, string> {
  // Of entries with one name, the last one counts here.
  return Object.fromEntries(cookiePairs(request).toReversed());
}

/** Every cookie, in the client's order; a name may occur more than once. */
export function cookiePairs(request: ClientRequest): [name: string, value: string][] {
  return headerValues(request, "cookie")
    .flatMap((header) => header.split(";"))
    .flatMap((pair) => {
      // One pair at a time: of several with one name, the library keeps the first alone.
      const [[name, value] = []] = Object.entries(parseCookie(pair));
      return name === undefined || value === undefined ? [] : [[name, value] as [string, string]];
    });
}

/** A cookie's value may be in quotes, which are not part of it (RFC 6265, 4.1.1). */
function unquoted(value: string): string {
  return /^"(.*)"$/.exec(value)?.[1] ?? value;
}
