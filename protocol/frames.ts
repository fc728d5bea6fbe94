/**
 * What passes over a connection of the subprotocol `websocket-relay.v1`: JSON texts. A frame to the client is one
 * envelope, or an array of them in order; a frame from the client is one action.
 */

/**
 * A place in a session's sequence: everything up to and with `seq` has been seen. Numbers of different epochs say nothing
 * about each other.
 */
export interface Cursor {
  epoch: string;
  /** From 1. */
  seq: number;
}

/** Client -> relay: asks for what came after the cursor. The first frame of a connection, and wherever a number is missing. */
export interface Resume {
  action: "resume";
  /** What the client has seen last. @default what the session has acknowledged last, on whatever device */
  cursor?: Cursor;
  /** Without a cursor: `oldest` asks for everything that is still there. @default "acknowledged" */
  from?: "acknowledged" | "oldest";
}

/** Client -> relay: everything up to and with the cursor has arrived. Not answered. */
export interface Acknowledgement {
  action: "ack";
  cursor: Cursor;
}

/** Relay -> client: before each `Resumed`: what there is. */
export interface Hello {
  type: "hello";
  /** Undefined where the session never had a message. */
  epoch?: string;
  /** The first number that is still there; `newest` + 1 where none is. */
  oldest: number;
  /** The last number that was given; 0 where none was. */
  newest: number;
}

/** Relay -> client: the answer to a `Resume`; the messages `first` to `through` follow, in order. */
export interface Resumed {
  type: "resumed";
  /**
   * Whether nothing is missing between the cursor and `first`. Where something is, the cursor does not hold any more, and
   * `lost` says why: it is older than the history's retention, of another epoch, or ahead of the newest number.
   */
  recovered: boolean;
  lost?: "expired" | "epoch" | "ahead";
  /** The number of the first message that follows; `through` + 1 where none does. */
  first: number;
  /** The number of the last one. Where `newest` is larger, the client resumes again once it has come to `through`. */
  through: number;
}

/** Relay -> client: a message, live or resumed. */
export interface MessageEnvelope extends Cursor {
  type: "message";
  /** The backend's `messageId`; without one, the queue's. */
  id: string;
  /** What was published. Undefined where `expired`. */
  body?: string;
  /** The message's own `expiresAt` had passed: there is nothing to show, and the number counts as seen. */
  expired?: true;
}

/** Relay -> client: another connection has the session. Nothing follows; a client that opens another one takes it back. */
export interface Superseded {
  type: "superseded";
}

/** Relay -> client: a frame that could not be answered. */
export interface ErrorEnvelope {
  type: "error";
  /**
   * `bad-request`: the frame is not of this protocol, and will never be answered. `no-session`: the relay does not know this
   * connection (any more): open another one. `unavailable`: a fault on the relay's side: ask again.
   */
  code: "bad-request" | "no-session" | "unavailable";
  message: string;
  /** Which of the client's frames it answers. Undefined where the relay does not know. */
  action?: "resume" | "ack";
}

/** Relay -> client; the gateway itself answers a `Ping` with a `Pong`. */
export type Envelope = Hello | Resumed | MessageEnvelope | Superseded | ErrorEnvelope;

/** Client -> relay; and `Ping`. */
export type Action = Resume | Acknowledgement;
