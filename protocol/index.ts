/**
 * The protocol between clients, backends and the relay's functions: names, frames and limits. It needs neither Node nor the
 * AWS SDK, so a browser can import it.
 *
 * @module pulumi-websocket-relay/protocol
 */

export type * from "./frames";
export type * from "./receipt";
export type * from "./streamChunk";
export { parseStreamChunk, STREAM_CHUNK_TYPE } from "./parseStreamChunk";

/** Query parameters of the handshake: `?context=…&contextId=…`. */
export const QUERY_PARAMETERS = {
  context: "context",
  contextId: "contextId",
  /** Client -> relay, only if authentication is off: the user's code. */
  user: "user",
} as const;

/** WebSocket subprotocols: the client offers them, and the relay selects one. */
export const SUBPROTOCOLS = {
  /** Messages arrive as they were published, without an envelope. A client that offers no subprotocol gets them like this, too. */
  raw: "websocket-relay.raw",
  /** In replay mode: messages arrive in envelopes, with their numbers (`Envelope`). */
  v1: "websocket-relay.v1",
} as const;

/** Prefix of a subprotocol that carries the token: for browsers, where a script cannot set a header. */
export const BEARER_SUBPROTOCOL_PREFIX = "websocket-relay.bearer.";

/** The subprotocols in a `Sec-WebSocket-Protocol` header, in its order (RFC 6455, 11.3.4). */
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
  /** Optional: `user` or `context`, for all sessions of the user or of the user's context, instead of `contextId`. */
  scope: "scope",
  /** Optional: the backend's own ID of the message, for logs, receipts and dead letters; in replay mode it deduplicates. */
  messageId: "messageId",
  /** Optional: an RFC 3339 date and time after which the message is no longer delivered. */
  expiresAt: "expiresAt",
  /** Optional, replay mode: of a session's messages with the same key within the retention, only one is stored. */
  idempotencyKey: "idempotencyKey",
} as const;

/** Attributes of a receipt, for the filter policies of subscriptions. */
export const RECEIPT_ATTRIBUTES = {
  status: "status",
  user: "user",
  context: "context",
} as const;

/** Attributes that a dead letter has besides those of the message. */
export const DEAD_LETTER_ATTRIBUTES = {
  reason: "reason",
  attempts: "attempts",
  originalMessageId: "originalMessageId",
} as const;

// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
// Literals, not products: esbuild keeps a product even in a bundle that does not use it.
/** Maximum size of a message, relay -> client: 128 KB. */
export const MAX_PAYLOAD_BYTES = 131_072;
/** Maximum size of a frame, client -> relay, 32 KB: a larger frame ends the connection. */
export const MAX_FRAME_BYTES = 32_768;
/** Maximum duration of a connection: then the gateway ends it. */
export const MAX_CONNECTION_SECONDS = 2 * 60 * 60;
/** Idle timeout: the gateway ends a connection that has carried no frame for this long. */
export const IDLE_TIMEOUT_SECONDS = 10 * 60;
