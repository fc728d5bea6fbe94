import { parseCookie } from "cookie";
import { type Checked, contextKeyOf } from "./session";

/**
 * What a `$connect` event carries, as far as it is used here. Absent maps may be `null` or missing.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
 */
export interface Handshake {
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  queryStringParameters?: Record<string, string | undefined> | null;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
  requestContext: { connectionId: string; connectedAt: number };
}

/** A token, and whether a browser would send it on its own (`cookie`) for any page that asks. */
export interface Credential {
  token: string;
  source: "authorization" | "cookie";
}

/** The sort key of the session that the client asks for with `?context=…&contextId=…`. */
export function requestedContext(handshake: Handshake): Checked<string> {
  const context = queryParameter(handshake, "context");
  if (context.reason !== undefined) return context;
  const contextId = queryParameter(handshake, "contextId");
  if (contextId.reason !== undefined) return contextId;
  return contextKeyOf(context.value, contextId.value);
}

/**
 * The token: `Authorization: Bearer` first, then the cookie. A Bearer that is there but unusable is an answer too: falling
 * back to the cookie would let a client that means one user connect as another.
 */
export function credentialOf(handshake: Handshake, cookieName: string): Checked<Credential> {
  // Authentication schemes are case-insensitive (RFC 9110, 11.1); another scheme is meant for someone else.
  const bearers = headerValues(handshake, "authorization").filter((value) => /^\s*bearer(\s|$)/i.test(value));
  if (bearers.length > 0) {
    // token68 of RFC 6750, 2.1
    const token = bearers.length === 1 ? /^\s*bearer +([\w.~+/-]+=*)\s*$/i.exec(bearers[0] as string)?.[1] : undefined;
    return token ? { value: { token, source: "authorization" } } : { reason: "the Authorization header is malformed" };
  }
  const token = parseCookie(headerValues(handshake, "cookie").join("; "))[cookieName];
  return token ? { value: { token, source: "cookie" } } : { reason: "there is neither a Bearer token nor a cookie" };
}

/**
 * Whether the page that opens the connection may. Asked only where the credential is ambient (a cookie): browsers send
 * `Origin` with every handshake and CORS does not apply to it, so an exact comparison is all there is against cross-site
 * hijacking (OWASP ASVS 5, 4.4.2). `null` is what sandboxed pages send: on no list.
 */
export function originIsAllowed(handshake: Handshake, allowedOrigins: readonly string[]): boolean {
  const origins = headerValues(handshake, "origin");
  const [origin] = origins;
  return origins.length === 1 && origin !== undefined && origin !== "null" && allowedOrigins.includes(origin);
}

function queryParameter(handshake: Handshake, name: string): Checked<string> {
  if ((handshake.multiValueQueryStringParameters?.[name]?.length ?? 0) > 1) {
    return { reason: `${name} is given more than once` };
  }
  const value = handshake.queryStringParameters?.[name];
  return value === undefined ? { reason: `the query parameter ${name} is missing` } : { value };
}

/** Header names arrive in the client's own case. */
function headerValues(handshake: Handshake, name: string): string[] {
  for (const headers of [handshake.multiValueHeaders, handshake.headers]) {
    const values = Object.entries(headers ?? {})
      .filter(([key]) => key.toLowerCase() === name)
      .flatMap(([, value]) => value ?? []);
    if (values.length > 0) return values;
  }
  return [];
}
