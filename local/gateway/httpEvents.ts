import type { IncomingMessage } from "node:http";
import { account } from "../account";
import type { RouteMatch } from "./httpRoutes";
import { commonLogTime } from "./proxyEvents";

/** A request as the gateway has read it. */
export interface HttpRequest {
  method: string;
  /** Decoded, and without the name of the stage unless that is in the path. */
  path: string;
  /** As the client sent it, without `?`. */
  rawQuery: string;
  message: IncomingMessage;
  /** Incomplete if it is over the limit. */
  body: Buffer;
  bodyBytes: number;
}

/** What an event and the access log tell of the API and the request. */
export interface HttpContext {
  apiId: string;
  /** host:port */
  domainName: string;
  stage: string;
  routeKey: string;
  requestId: string;
}

/**
 * An event in payload format 2.0: header names in lower case, several values of one name joined with commas, cookies apart.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEvent(request: HttpRequest, { pathParameters }: RouteMatch, context: HttpContext): object {
  const { method, path, rawQuery, message, body } = request;
  const { headers, cookies } = headersOf(message);
  const query = new URLSearchParams(rawQuery);
  const now = new Date();
  const { apiId, domainName, routeKey, stage, requestId } = context;
  return {
    version: "2.0",
    routeKey,
    rawPath: path,
    rawQueryString: rawQuery,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(query.size > 0 && { queryStringParameters: joined([...query]) }),
    requestContext: {
      accountId: account,
      apiId,
      domainName,
      domainPrefix: apiId,
      http: {
        method,
        path,
        protocol: `HTTP/${message.httpVersion}`,
        sourceIp: message.socket.remoteAddress ?? "",
        userAgent: message.headers["user-agent"] ?? "",
      },
      requestId,
      routeKey,
      stage,
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(pathParameters).length > 0 && { pathParameters }),
    ...(body.length > 0 && bodyOf(body, message.headers["content-type"])),
    isBase64Encoded: body.length > 0 && !isText(message.headers["content-type"]),
  };
}

function headersOf({ rawHeaders, socket }: IncomingMessage): { headers: Record<string, string>; cookies: string[] } {
  const pairs: [string, string][] = [];
  const cookies: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name, value] = [(rawHeaders[at] as string).toLowerCase(), rawHeaders[at + 1] as string];
    if (name === "cookie") cookies.push(...value.split(/; */).filter((cookie) => cookie !== ""));
    // Of this hop, or the gateway's own to write.
    else if (!/^(connection|keep-alive|x-forwarded-(for|port|proto))$/.test(name)) pairs.push([name, value]);
  }
  pairs.push(["x-forwarded-for", socket.remoteAddress ?? ""]);
  pairs.push(["x-forwarded-port", String(socket.localPort)]);
  pairs.push(["x-forwarded-proto", "http"]);
  return { headers: joined(pairs), cookies };
}

function joined(pairs: [string, string][]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of pairs) values[name] = Object.hasOwn(values, name) ? `${values[name]},${value}` : value;
  return values;
}

function bodyOf(body: Buffer, contentType: string | undefined): { body: string } {
  return { body: body.toString(isText(contentType) ? "utf8" : "base64") };
}

function isText(contentType = ""): boolean {
  return /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/i.test(contentType);
}
