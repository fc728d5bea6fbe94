import type { IncomingMessage } from "node:http";
import type { Connection } from "./connection";
import { newRequestId } from "./ids";

type Fields = Readonly<Record<string, unknown>>;

/** Where a connection came in. */
export interface Endpoint {
  apiId: string;
  /** host:port */
  domainName: string;
}

/**
 * The part that all events of a connection share.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
 */
export function requestContext(endpoint: Endpoint, connection: Connection, routeKey: string, eventType: string) {
  const now = new Date();
  return {
    routeKey,
    eventType,
    extendedRequestId: newRequestId(),
    requestTime: commonLogTime(now),
    messageDirection: "IN",
    stage: connection.stageName,
    connectedAt: connection.connectedAtMs,
    requestTimeEpoch: now.getTime(),
    identity: connection.identity,
    requestId: newRequestId(),
    domainName: endpoint.domainName,
    connectionId: connection.id,
    apiId: endpoint.apiId,
  };
}

/** The only event with the client's headers and query. Without a query both query keys are absent, not null. */
export function connectEvent(request: IncomingMessage, query: URLSearchParams, context: Fields): Fields {
  return {
    ...headersOf(clientHeaders(request)),
    ...(query.size > 0 && {
      queryStringParameters: Object.fromEntries(query),
      multiValueQueryStringParameters: Object.fromEntries([...query.keys()].map((key) => [key, query.getAll(key)])),
    }),
    requestContext: context,
    isBase64Encoded: false,
  };
}

/** No headers and no query, as on AWS. */
export function messageEvent(body: string, context: Fields): Fields {
  return { requestContext: context, body, isBase64Encoded: false };
}

/** Synthetic headers only: what the client once sent is not repeated. */
export function disconnectEvent(code: number, reason: string, endpoint: Endpoint, context: Fields): Fields {
  return {
    ...headersOf([
      ["Host", endpoint.domainName],
      ["x-api-key", ""],
      ["X-Forwarded-For", ""],
      ["x-restapi", ""],
    ]),
    requestContext: { ...context, disconnectStatusCode: code, disconnectReason: reason },
    isBase64Encoded: false,
  };
}

// `rawHeaders` keeps the client's own casing, which AWS keeps as well.
function clientHeaders(request: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at] as string;
    // Of this hop, or the gateway's own to write.
    if (!/^(connection|upgrade|x-forwarded-.*)$/i.test(name)) pairs.push([name, request.rawHeaders[at + 1] as string]);
  }
  return [
    ...pairs,
    ["X-Forwarded-For", request.socket.remoteAddress ?? ""],
    ["X-Forwarded-Port", String(request.socket.localPort)],
    ["X-Forwarded-Proto", "http"],
  ];
}

function headersOf(pairs: [string, string][]) {
  const multiValueHeaders: Record<string, string[]> = {};
  for (const [name, value] of pairs) (multiValueHeaders[name] ??= []).push(value);
  return { headers: Object.fromEntries(pairs), multiValueHeaders };
}

/** 10/Oct/2026:13:55:36 +0000 */
export function commonLogTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}
