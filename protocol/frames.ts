// Generated from frames.schema.json by protocol/generateTypes: change the schema, and run that.

/**
 * What passes over a connection of the subprotocol websocket-relay.v1: one JSON text a frame. Members that are not listed are to be ignored, and a member that is null counts as absent.
 */
export type Frame = FrameToRelay | FrameToClient;
/**
 * Client -> relay: what one frame holds.
 */
export type FrameToRelay = Action | Ping;
/**
 * Client -> relay: what a function of the relay handles. The gateway itself answers a `Ping`.
 */
export type Action = Resume | Acknowledgement;
/**
 * Relay -> client: what one frame holds. Several envelopes come as an array, in order.
 */
export type FrameToClient = Envelope | Envelope[] | Pong | GatewayError;
/**
 * Relay -> client: what the relay's functions send.
 */
export type Envelope = Hello | Resumed | MessageEnvelope | Superseded | ErrorEnvelope;

/**
 * Client -> relay: asks for the messages after the cursor. The first frame of a connection, and sent again wherever a number is missing.
 */
export interface Resume {
  action: "resume";
  /**
   * What the client has seen last. Without it, `from` decides.
   */
  cursor?: Cursor;
  /**
   * Where to begin without a cursor: after what the session's clients have acknowledged, on any device (`acknowledged`, the default), or with everything that is available (`oldest`). Ignored next to a cursor.
   */
  from?: "acknowledged" | "oldest";
}
/**
 * A place in a session's sequence: everything up to and including `seq` has been seen. Numbers of different epochs say nothing about each other.
 */
export interface Cursor {
  /**
   * Which counting the number belongs to. Compare it, and read nothing else into it.
   */
  epoch: string;
  /**
   * A message's number, from 1; 0 says that nothing of the epoch has been seen.
   */
  seq: number;
}
/**
 * Client -> relay: everything up to and including the cursor has arrived. Answered only by an error.
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
 * Relay -> client: what is available, before each `Resumed`.
 */
export interface Hello {
  type: "hello";
  /**
   * The epoch of `oldest` and `newest`. Absent where the session has never had a message.
   */
  epoch?: string;
  /**
   * The first number that is available; `newest` + 1 where none is.
   */
  oldest: number;
  /**
   * The last number that was given; 0 where none was.
   */
  newest: number;
}
/**
 * Relay -> client: the answer to a `Resume`. The messages `first` to `through` follow, in order.
 */
export interface Resumed {
  type: "resumed";
  /**
   * Whether nothing is missing before `first`. If false, the cursor is void and `lost` says why.
   */
  recovered: boolean;
  /**
   * Why messages are missing: they are older than the history's retention (`expired`), the cursor is of another epoch (`epoch`), or ahead of the newest number (`ahead`). Absent where `recovered` is true.
   */
  lost?: "expired" | "epoch" | "ahead";
  /**
   * The number of the first message that follows; `through` + 1 where none does.
   */
  first: number;
  /**
   * The number of the last message that follows. If the hello's `newest` is larger, resume again once this one has arrived.
   */
  through: number;
}
/**
 * Relay -> client: a message, live or resumed.
 */
export interface MessageEnvelope {
  type: "message";
  /**
   * Which counting the number belongs to.
   */
  epoch: string;
  /**
   * The message's number in its session, from 1.
   */
  seq: number;
  /**
   * The backend's `messageId`; without one, the retry queue's.
   */
  id: string;
  /**
   * What the backend published. Absent where `expired` is true.
   */
  body?: string;
  /**
   * The message's own `expiresAt` had passed: there is nothing to show, and the number counts as seen. Absent otherwise.
   */
  expired?: true;
}
/**
 * Relay -> client: another connection has the session, and nothing more comes over this one. On a connection that the client itself is replacing, this is expected.
 */
export interface Superseded {
  type: "superseded";
}
/**
 * Relay -> client: a frame that was not handled.
 */
export interface ErrorEnvelope {
  type: "error";
  /**
   * `bad-request`: the frame is not of this protocol; do not send it again. `no-session`: the relay does not know this connection, or its session has ended; open another connection. `unavailable`: a fault of the relay; send the frame again after a pause.
   */
  code: "bad-request" | "no-session" | "unavailable";
  /**
   * What is wrong, for the client's log. Its wording may change.
   */
  message: string;
  /**
   * Which of the client's frames it answers. Absent where the frame named no action that the relay knows.
   */
  action?: "resume" | "ack";
}
/**
 * Gateway -> client: the answer to a `Ping`.
 */
export interface Pong {
  type: "pong";
}
/**
 * Gateway -> client: a frame that reached no function, or whose function failed. Which frame it was is not said.
 */
export interface GatewayError {
  /**
   * `Forbidden`, `Too Many Requests` or `Internal server error`.
   */
  message: string;
  /**
   * The gateway's id of the connection.
   */
  connectionId: string;
  /**
   * The gateway's id of the frame, as in its access log.
   */
  requestId: string;
}
