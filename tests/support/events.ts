import type { SQSEvent, SQSMessageAttributes, SQSRecord } from "aws-lambda";
import type { Handshake } from "../../handlers/connect/handshake";
import type { HttpEvent } from "../../handlers/read/httpEvent";

/** A `$connect` event of a native client; `cookie`, `origin` and the like go into `headers`. */
export function connectEvent(given: {
  headers?: Record<string, string>;
  query?: Record<string, string> | null;
  multiValueQuery?: Record<string, string[]>;
  multiValueHeaders?: Record<string, string[]>;
  connectionId?: string;
  connectedAt?: number;
  sourceIp?: string;
}): Handshake {
  const query = given.query === undefined ? { context: "chat", contextId: "7" } : given.query;
  return {
    headers: { Host: "api.test", ...given.headers },
    multiValueHeaders: given.multiValueHeaders,
    // Both keys are absent when there is no query.
    ...(query && { queryStringParameters: query, multiValueQueryStringParameters: given.multiValueQuery }),
    requestContext: {
      connectionId: given.connectionId ?? "c1",
      connectedAt: given.connectedAt ?? 1_700_000_000_500,
      requestId: "r1",
      ...(given.sourceIp !== undefined && { identity: { sourceIp: given.sourceIp } }),
    },
  };
}

/** A request of the HTTP API in payload format 2.0, with the fields that the function does not use as well. */
export function httpEvent(
  given: { method?: string; query?: string; headers?: Record<string, string>; cookies?: string[] } = {},
): HttpEvent & { cookies?: string[] } {
  const { method = "GET", query = "context=chat&contextId=7", headers = {}, cookies } = given;
  return {
    rawQueryString: query,
    headers: { host: "api.test", ...headers },
    ...(cookies && { cookies }),
    requestContext: { http: { method, sourceIp: "192.0.2.1" }, requestId: "r1" },
  };
}

/** The part of Lambda's context that handlers use: by default, `connect` has its whole time left. */
export function invocation(remainingMs = 12_000): { getRemainingTimeInMillis(): number } {
  return { getRemainingTimeInMillis: () => remainingMs };
}

/** A record of the retry queue; `attributes` are String attributes, `undefined` leaves one out. */
export function sqsRecord(
  given: {
    messageId?: string;
    body?: string;
    attempt?: number;
    sentAtMs?: number;
    messageGroupId?: string;
    sequenceNumber?: string;
    attributes?: Record<string, string | undefined>;
    rawAttributes?: SQSMessageAttributes;
  } = {},
): SQSRecord {
  const messageId = given.messageId ?? "m1";
  const attributes = { user: "42", context: "chat", contextId: "7", ...given.attributes };
  return {
    messageId,
    receiptHandle: `receipt-${messageId}`,
    body: given.body ?? `body of ${messageId}`,
    attributes: {
      ApproximateReceiveCount: String(given.attempt ?? 1),
      SentTimestamp: String(given.sentAtMs ?? 0),
      SenderId: "sender",
      ApproximateFirstReceiveTimestamp: "0",
      ...(given.messageGroupId !== undefined && { MessageGroupId: given.messageGroupId }),
      ...(given.sequenceNumber !== undefined && { SequenceNumber: given.sequenceNumber }),
    },
    messageAttributes: {
      ...Object.fromEntries(
        Object.entries(attributes).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, { dataType: "String", stringValue: value }]],
        ),
      ),
      ...given.rawAttributes,
    },
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:eu-west-1:123456789012:queue",
    awsRegion: "eu-west-1",
  };
}

export function sqsEvent(...records: SQSRecord[]): SQSEvent {
  return { Records: records };
}
