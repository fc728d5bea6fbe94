import { originIsAllowed } from "../connect/auth/origin";
import { type ClientRequest, hasHeader, headerValues } from "../connect/clientRequest";

/** For how long a browser keeps the answer to a preflight, in seconds: Chromium's maximum. */
const MAX_AGE_SECONDS = 7_200;

/** The headers that a page's script may read. */
const EXPOSED = "ETag, Retry-After, Stream-Next-Offset, Stream-Up-To-Date";

/**
 * Whether the request's origin is allowed. A browser sends `Origin` with every request to another origin; other clients may send
 * none. Null allows every origin.
 */
export function mayRead(request: ClientRequest, allowedOrigins: readonly string[] | null): boolean {
  return !hasHeader(request, "origin") || originIsAllowed(request, allowedOrigins);
}

/** The CORS headers of each answer. Credentials are not allowed: the relay takes no cookie over HTTP. */
export function corsHeaders(request: ClientRequest, allowedOrigins: readonly string[] | null): Record<string, string> {
  if (allowedOrigins === null) return { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED };
  // Also without an origin, so that a cache does not answer one page with the answer for another.
  const vary = { Vary: "Origin" };
  const [origin] = headerValues(request, "origin");
  return origin !== undefined && originIsAllowed(request, allowedOrigins)
    ? { ...vary, "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED }
    : vary;
}

/** The headers of the answer to a preflight, besides those of each answer. */
export const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  "Access-Control-Allow-Methods": "GET, HEAD",
  // The wildcard does not cover Authorization. An own callback may read any other header.
  // https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
  "Access-Control-Allow-Headers": "Authorization, *",
  "Access-Control-Max-Age": String(MAX_AGE_SECONDS),
};
