import { type ClientRequest, hasHeader, headerValues } from "../clientRequest";
import type { Credential } from "./credential";

/**
 * Whether the page that opens the connection is on the list; null allows every page. Browsers send `Origin` with every
 * handshake and CORS does not apply to it, so this comparison is all there is against cross-site hijacking (OWASP ASVS 5,
 * 4.4.2). `null` is what any sandboxed page sends: it is never allowed.
 */
export function originIsAllowed(request: ClientRequest, allowedOrigins: readonly string[] | null): boolean {
  if (allowedOrigins === null) return true;
  const [origin, ...others] = headerValues(request, "origin");
  if (origin === undefined || others.length > 0 || origin === "null") return false;
  return allowedOrigins.some((allowed) => matches(origin, allowed));
}

/**
 * Whether a token is accepted only with an allowed origin. A page's script cannot set Authorization, and native clients send
 * it with an Origin of their own. Browsers always send Origin, so a subprotocol without one is from a program that offers its
 * own token. Other clients than browsers may send cookies by themselves, too.
 */
export function tokenRequiresOrigin(request: ClientRequest, { source }: Credential): boolean {
  if (source === "subprotocol") return hasHeader(request, "origin");
  return source === "cookie";
}

/**
 * Whether a callback is asked only with an allowed origin. It may use anything that a browser sends by itself, and browsers
 * always send Origin. Other clients may send cookies by themselves, too.
 */
export function callbackRequiresOrigin(request: ClientRequest): boolean {
  return ["origin", "cookie"].some((name) => hasHeader(request, name));
}

const WILDCARD = "https://*";

/** `https://*.` allows exactly one label in the place of the `*`; anything else is compared exactly. */
function matches(origin: string, allowed: string): boolean {
  if (!allowed.startsWith(`${WILDCARD}.`)) return origin === allowed;
  const rest = allowed.slice(WILDCARD.length);
  if (!origin.startsWith("https://") || !origin.endsWith(rest)) return false;
  // Lower case and Punycode, as browsers send it; `_` is no letter of a host name (RFC 1123), but browsers resolve it.
  return /^[a-z0-9_-]{1,63}$/.test(origin.slice("https://".length, -rest.length));
}
