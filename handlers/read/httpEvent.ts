import type { ClientRequest } from "../connect/clientRequest";

/**
 * The fields of an HTTP API's event that are used here, in payload format 2.0. Header names are in lower case, and several values
 * of one header are joined with commas.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export interface HttpEvent {
  /** As the client sent it, percent-encoded; empty if there is none. */
  rawQueryString?: string;
  headers?: Record<string, string | undefined> | null;
  requestContext: {
    http: { method: string; sourceIp?: string };
    /** The gateway's id of this request, by which its access log names it. */
    requestId: string;
  };
}

/** An answer in payload format 2.0. */
export interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Not accepted as credentials over HTTP: a browser sends cookies by itself, so any page could read as the user. The event also has
 * cookies in a field of their own, which is not read.
 */
const IGNORED_HEADERS: readonly string[] = ["cookie", "sec-websocket-protocol"];

/** The request as `connect` sees a handshake. */
export function clientRequestOf({ rawQueryString = "", headers, requestContext }: HttpEvent): ClientRequest {
  // The event's own map of query parameters joins several values with commas, which a value may contain.
  const query = new URLSearchParams(rawQueryString);
  const { sourceIp } = requestContext.http;
  return {
    headers: Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => !IGNORED_HEADERS.includes(name))),
    queryStringParameters: Object.fromEntries(query),
    multiValueQueryStringParameters: Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)])),
    requestContext: { identity: { ...(sourceIp !== undefined && { sourceIp }) } },
  };
}
