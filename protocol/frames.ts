// Generated from frames.schema.json by protocol/generateTypes: change the schema, and run that.

/**
 * A frame of the subprotocol websocket-relay.v1: one JSON text. Ignore members that are not listed, and treat a member that is null as absent.
 */
export type Frame = FrameToRelay | FrameToClient;
/**
 * Client -> relay: the content of a frame.
 */
export type FrameToRelay = Action | Ping;
/**
 * Client -> relay: a frame that a function of the relay handles. The gateway itself answers a `Ping`.
 */
export type Action = Resume | Acknowledgement;
/**
 * Relay -> client: the content of a frame. Several envelopes arrive as an array, in order.
 */
export type FrameToClient = Envelope | Envelope[] | Pong | GatewayError;
/**
 * Relay -> client: a frame that the relay's functions send.
 */
export type Envelope = Hello | Resumed | MessageEnvelope | Superseded | ErrorEnvelope;

/**
 * Client -> relay: requests the messages after the cursor, or after `after`. It is the first frame of a connection, and is sent again when a number is missing.
 */
export interface Resume {
  action: "resume";
  /**
   * The last message that the client has handled, which acknowledges all messages up to it. Without a cursor, `from` sets the start.
   */
  cursor?: Cursor;
  /**
   * The last message that has arrived in order, if that is later than the cursor: the client has messages that it has not handled, or whose stream is still open. Messages after it follow, and it acknowledges nothing. It is a number of the cursor's epoch, and is ignored without a cursor.
   */
  after?: number;
  /**
   * Where to start without a cursor: after the last message that a client of the session has acknowledged, on any device (`acknowledged`, the default), or with the oldest message that is available (`oldest`). Ignored if there is a cursor.
   */
  from?: "acknowledged" | "oldest";
}
/**
 * A position in a session's sequence: all messages up to and including `seq` have been seen. Numbers of different epochs cannot be compared.
 */
export interface Cursor {
  /**
   * The epoch of the number: an opaque ID, to be compared only for equality.
   */
  epoch: string;
  /**
   * A message's number, from 1; 0 if no message of the epoch has been seen.
   */
  seq: number;
}
/**
 * Client -> relay: all messages up to and including the cursor have been handled. The relay answers only with an error.
 */
export interface Acknowledgement {
  action: "ack";
  cursor: Cursor;
}
/**
 * Client -> gateway: a heartbeat. It invokes no function.
 */
export interface Ping {
  action: "ping";
}
/**
 * Relay -> client: the range of available messages. It precedes each `Resumed`.
 */
export interface Hello {
  type: "hello";
  /**
   * The epoch of `oldest` and `newest`. Absent if the session has never had a message.
   */
  epoch?: string;
  /**
   * The first number that is available; `newest` + 1 if none is.
   */
  oldest: number;
  /**
   * The last number that was assigned; 0 if none was.
   */
  newest: number;
  /**
   * Within how many seconds of handling a message the client acknowledges it. Absent: only with a resume, and when the client closes or its page is hidden.
   */
  ackSeconds?: number;
}
/**
 * Relay -> client: the response to a `Resume`. The messages `first` to `through` follow, in order.
 */
export interface Resumed {
  type: "resumed";
  /**
   * True if no message before `first` is missing. If false, the cursor is no longer valid, and `lost` has the reason.
   */
  recovered: boolean;
  /**
   * Why messages are missing: they are older than the history's retention (`expired`), the cursor has another epoch (`epoch`), or it is ahead of the newest number (`ahead`). Absent if `recovered` is true.
   */
  lost?: "expired" | "epoch" | "ahead";
  /**
   * The number of the first message that follows; `through` + 1 if none does.
   */
  first: number;
  /**
   * The number of the last message that follows. If the hello's `newest` is larger, resume again once that message has arrived.
   */
  through: number;
}
/**
 * Relay -> client: a message, either live or after a resume.
 */
export interface MessageEnvelope {
  type: "message";
  /**
   * The epoch of `seq`.
   */
  epoch: string;
  /**
   * The message's number in its session, from 1. With `first`, the number of the last message that the envelope covers.
   */
  seq: number;
  /**
   * The number of the first message that the envelope covers, if it covers several. They are chunks of one stream (`StreamChunk`) with the numbers `first` to `seq`, and `body` is one chunk with the text of all. Absent if the envelope covers only `seq`.
   */
  first?: number;
  /**
   * The backend's `messageId`; without one, the retry queue's message ID. With `first`, the ID of the message `seq`.
   */
  id: string;
  /**
   * The text that the backend published; with `first`, the joined chunk. Absent if `expired` is true.
   */
  body?: string;
  /**
   * True if the message's `expiresAt` has passed: there is no body, and the number counts as seen. Absent otherwise.
   */
  expired?: true;
}
/**
 * Relay -> client: this connection receives no more messages, because a newer one has taken its place. Expected on a connection that the client itself is replacing.
 */
export interface Superseded {
  type: "superseded";
}
/**
 * Relay -> client: a frame could not be handled.
 */
export interface ErrorEnvelope {
  type: "error";
  /**
   * `bad-request`: the frame does not follow this protocol; do not send it again. `no-session`: this connection is unknown, or its session has ended; open another connection. `unavailable`: the relay failed; send the frame again after a pause.
   */
  code: "bad-request" | "no-session" | "unavailable";
  /**
   * The problem in words, for the client's log. The wording may change.
   */
  message: string;
  /**
   * The action of the client's frame. Absent if the frame has no known action.
   */
  action?: "resume" | "ack";
}
/**
 * Gateway -> client: the response to a `Ping`.
 */
export interface Pong {
  type: "pong";
}
/**
 * Gateway -> client: a frame did not reach a function, or its function failed. The error does not identify the frame.
 */
export interface GatewayError {
  /**
   * `Forbidden`, `Too Many Requests` or `Internal server error`.
   */
  message: string;
  /**
   * The gateway's ID of the connection.
   */
  connectionId: string;
  /**
   * The gateway's ID of the frame, as in its access log.
   */
  requestId: string;
}
