import { QUERY_PARAMETERS } from "../../protocol";
import { type Checked, contextKeyOf } from "../sessions/sessionKey";

/**
 * The fields of a `$connect` event that are used here. Absent maps may be `null` or missing.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
 */
export interface Handshake {
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  queryStringParameters?: Record<string, string | undefined> | null;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
  requestContext: {
    connectionId: string;
    connectedAt: number;
    /** The gateway's id of this request, by which its access log names it. */
    requestId: string;
    identity?: { sourceIp?: string };
  };
}

/** The sort key of the session that the client asks for with `?context=…&contextId=…`. */
export function requestedContext(handshake: Handshake): Checked<string> {
  const context = queryParameter(handshake, QUERY_PARAMETERS.context);
  if (context.reason !== undefined) return context;
  const contextId = queryParameter(handshake, QUERY_PARAMETERS.contextId);
  if (contextId.reason !== undefined) return contextId;
  return contextKeyOf(context.value, contextId.value);
}

/** A query parameter that is given once. */
export function queryParameter(handshake: Handshake, name: string): Checked<string> {
  if ((handshake.multiValueQueryStringParameters?.[name]?.length ?? 0) > 1) {
    return { reason: `${name} is given more than once` };
  }
  const value = handshake.queryStringParameters?.[name];
  return value === undefined ? { reason: `the query parameter ${name} is missing` } : { value };
}

/** Every header by its lower-cased name; several values are joined. */
export function headersOf(handshake: Handshake): Record<string, string> {
  const given = { ...handshake.headers, ...handshake.multiValueHeaders };
  const names = [...new Set(Object.keys(given).map((name) => name.toLowerCase()))];
  return Object.fromEntries(
    names.map((name) => [name, headerValues(handshake, name).join(name === "cookie" ? "; " : ", ")]),
  );
}

/** Whether the client sent the header at all, even with an empty value. */
export function hasHeader({ headers, multiValueHeaders }: Handshake, name: string): boolean {
  const names = Object.keys({ ...headers, ...multiValueHeaders });
  return names.some((each) => each.toLowerCase() === name);
}

/** Header names arrive in the client's own case. */
export function headerValues(handshake: Handshake, name: string): string[] {
  for (const headers of [handshake.multiValueHeaders, handshake.headers]) {
    const values = Object.entries(headers ?? {})
      .filter(([key]) => key.toLowerCase() === name)
      .flatMap(([, value]) => value ?? []);
    if (values.length > 0) return values;
  }
  return [];
}
