export type RelayClientErrorCode =
  /** An option is invalid; the constructor throws this. */
  | "input"
  /** The token provider failed, or returned an invalid token. */
  | "token"
  /** Several handshakes in a row were refused or failed; reported once until a connection opens. */
  | "refused"
  /** `WebSocket` could not be constructed, or the server selected a subprotocol that was not offered. */
  | "socket"
  /** A callback threw or rejected. */
  | "callback"
  /** The cursor store failed. */
  | "store"
  /** A received frame does not follow the protocol. */
  | "frame"
  /** The relay rejected a frame of this client. */
  | "bad-request"
  /** The relay or the gateway failed; the client tries again. */
  | "unavailable"
  /** Messages are missing, and there is no `onGap`. */
  | "gap"
  /** `followState`: the state could not be loaded. */
  | "state";

/** An error of the client. Its text quotes neither tokens nor messages. */
export class RelayClientError extends Error {
  override readonly name = "RelayClientError";

  constructor(
    readonly code: RelayClientErrorCode,
    message: string,
    /** The error that caused this one, if any. */
    override readonly cause?: unknown,
  ) {
    super(message);
  }

  /** Also true for another copy of this class: a program may load the package both as an ES module and as CommonJS. */
  static override [Symbol.hasInstance](value: unknown): value is RelayClientError {
    if (this !== RelayClientError) return super[Symbol.hasInstance](value);
    return value instanceof Error && value.name === "RelayClientError";
  }
}
