export type RelayClientErrorCode =
  /** An option is wrong: thrown by the constructor. */
  | "input"
  /** The token provider failed, or gave what is no token. */
  | "token"
  /** One handshake after another was refused, or failed: said once, until a connection opens. */
  | "refused"
  /** `WebSocket` refused to be constructed, or the relay answered a subprotocol that is none of ours. */
  | "socket"
  /** A callback threw or rejected. */
  | "callback"
  /** The cursor store failed. */
  | "store"
  /** What came is not of the protocol. */
  | "frame"
  /** The relay does not understand what this client sent. */
  | "bad-request"
  /** A fault on the relay's side; it is asked again. */
  | "unavailable"
  /** Messages are missing, and there is no `onGap`. */
  | "gap";

/** What went wrong. It quotes neither tokens nor messages. */
export class RelayClientError extends Error {
  override readonly name = "RelayClientError";

  constructor(
    readonly code: RelayClientErrorCode,
    message: string,
    /** What was thrown, where it was something else. */
    override readonly cause?: unknown,
  ) {
    super(message);
  }

  /** Also one of another copy of this class: a program may load the package as an ES module and as CommonJS. */
  static override [Symbol.hasInstance](value: unknown): value is RelayClientError {
    if (this !== RelayClientError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && value.name === "RelayClientError";
  }
}
