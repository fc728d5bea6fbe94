import { QUERY_PARAMETERS } from "../../protocol";
import { type Checked, contextKeyOf } from "../sessions/sessionKey";

/** The parts of a handshake or of an HTTP request that authentication reads. Absent maps may be `null` or missing. */
export interface ClientRequest {
  headers?: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
  queryStringParameters?: Record<string, string | undefined> | null;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
  requestContext: { identity?: { sourceIp?: string } };
}

/** The sort key of the session that the client asks for with `?context=…&contextId=…`. */
export function requestedContext(request: ClientRequest): Checked<string> {
  const context = queryParameter(request, QUERY_PARAMETERS.context);
  if (context.reason !== undefined) return context;
  const contextId = queryParameter(request, QUERY_PARAMETERS.contextId);
  if (contextId.reason !== undefined) return contextId;
  return contextKeyOf(context.value, contextId.value);
}

/** A query parameter that is given once. */
export function queryParameter(request: ClientRequest, name: string): Checked<string> {
  if ((request.multiValueQueryStringParameters?.[name]?.length ?? 0) > 1) {
    return { reason: `${name} is given more than once` };
  }
  const value = request.queryStringParameters?.[name];
  return value === undefined ? { reason: `the query parameter ${name} is missing` } : { value };
}

/** Every header by its lower-cased name; several values are joined. */
export function headersOf(request: ClientRequest): Record<string, string> {
  const given = { ...request.headers, ...request.multiValueHeaders };
  const names = [...new Set(Object.keys(given).map((name) => name.toLowerCase()))];
  return Object.fromEntries(
    names.map((name) => [name, headerValues(request, name).join(name === "cookie" ? "; " : ", ")]),
  );
}

/** Whether the client sent the header at all, even with an empty value. */
export function hasHeader({ headers, multiValueHeaders }: ClientRequest, name: string): boolean {
  const names = Object.keys({ ...headers, ...multiValueHeaders });
  return names.some((each) => each.toLowerCase() === name);
}

/** Header names arrive in the client's own case. */
export function headerValues(request: ClientRequest, name: string): string[] {
  for (const headers of [request.multiValueHeaders, request.headers]) {
    const values = Object.entries(headers ?? {})
      .filter(([key]) => key.toLowerCase() === name)
      .flatMap(([, value]) => value ?? []);
    if (values.length > 0) return values;
  }
  return [];
}
