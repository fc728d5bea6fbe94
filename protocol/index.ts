/**
 * What clients, backends and the relay's functions say to each other: names, frames and limits. It needs neither Node nor
 * AWS, so that a browser can import it.
 *
 * @module pulumi-websocket-relay/protocol
 */

export type * from "./frames";
export type * from "./receipt";

/** Query parameters of the handshake: `?context=…&contextId=…`. */
export const QUERY_PARAMETERS = {
  context: "context",
  contextId: "contextId",
  /** Client -> relay, only where the relay was told to authenticate nobody: the user's code. */
  user: "user",
} as const;

/** WebSocket subprotocols, which the client offers and of which the relay answers one. */
export const SUBPROTOCOLS = {
  /** Where the relay delivers by retry: messages arrive as they were published, without an envelope. */
  raw: "websocket-relay.raw",
  /** Where the relay delivers by replay: messages arrive in envelopes, with their numbers (`Envelope`). */
  v1: "websocket-relay.v1",
} as const;

/** Begins a subprotocol that carries the token: for browsers, whose scripts cannot set a header. */
export const BEARER_SUBPROTOCOL_PREFIX = "websocket-relay.bearer.";

/** The subprotocols that a `Sec-WebSocket-Protocol` header offers, in its order (RFC 6455, 11.3.4). */
export function offeredSubprotocols(header: string): string[] {
  return header
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

/** Attributes of a message, backend -> relay. */
export const MESSAGE_ATTRIBUTES = {
  user: "user",
  context: "context",
  contextId: "contextId",
  /** Optional: the backend's own id of the message, by which logs name it. */
  messageId: "messageId",
  /** Optional: an RFC 3339 date-time after which the message is not delivered any more. */
  expiresAt: "expiresAt",
} as const;

/** Attributes of a receipt, for the filter policies of subscriptions. */
export const RECEIPT_ATTRIBUTES = {
  status: "status",
  user: "user",
  context: "context",
} as const;

/** Attributes that a dead letter has beside the message's own. */
export const DEAD_LETTER_ATTRIBUTES = {
  reason: "reason",
  attempts: "attempts",
  originalMessageId: "originalMessageId",
} as const;

// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
/** Of a message, relay -> client. */
export const MAX_PAYLOAD_BYTES = 128 * 1024;
/** Of a frame, client -> relay: a larger one ends the connection. */
export const MAX_FRAME_BYTES = 32 * 1024;
/** After which the gateway ends a connection, whatever passes over it. */
export const MAX_CONNECTION_SECONDS = 2 * 60 * 60;
/** After which the gateway ends a connection over which nothing passes. */
export const IDLE_TIMEOUT_SECONDS = 10 * 60;
