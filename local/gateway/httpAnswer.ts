import { isStatus } from "./lambdaIntegration";

/** What the client gets. */
export interface HttpAnswer {
  status: number;
  /** By their names in lower case. */
  headers: Record<string, string | string[]>;
  body: Buffer;
}

/**
 * What API Gateway makes of a function's answer in format 2.0; undefined if it cannot use it. Without a `statusCode`, the answer
 * itself is the body. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpAnswer(payload: unknown): HttpAnswer | undefined {
  if (typeof payload !== "object" || payload === null || !("statusCode" in payload)) {
    if (payload === undefined || payload === null) return undefined;
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from(text) };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = payload as Record<string, unknown>;
  if (!isStatus(statusCode) || !(body == null || typeof body === "string")) return undefined;
  const own = Object.entries((headers ?? {}) as Record<string, unknown>)
    // The gateway's own to write.
    .filter(([name]) => !/^(content-length|connection|transfer-encoding)$/i.test(name))
    .map(([name, value]) => [name.toLowerCase(), String(value)]);
  return {
    status: statusCode,
    headers: {
      ...((body ?? "") !== "" && { "content-type": "text/plain;charset=UTF-8" }),
      ...(Object.fromEntries(own) as Record<string, string>),
      ...(Array.isArray(cookies) && cookies.length > 0 && { "set-cookie": cookies.map(String) }),
    },
    body: Buffer.from(body ?? "", isBase64Encoded === true ? "base64" : "utf8"),
  };
}

/** An answer of API Gateway itself. */
export function gatewayAnswer(status: number, message: string): HttpAnswer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify({ message })),
  };
}
