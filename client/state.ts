/**
 * `connecting`: the client waits for a token, a handshake or the first response. `connected`: messages arrive. `waiting`: a
 * connection failed, and the client waits before the next one. `superseded`: another client has the session; `connect()`
 * takes it back. `closed`: before `connect()`, and after `close()`.
 */
export type RelayState = "connecting" | "connected" | "waiting" | "superseded" | "closed";

export interface StateDetail {
  previous: RelayState;
  /** The reason in words, for logs. */
  reason?: string;
  /** The close code of a connection that ended; 1006 if it broke or was refused. */
  closeCode?: number;
  /** The HTTP status of a refused handshake, if the runtime exposes it: browsers and Node's own WebSocket do not. */
  statusCode?: number;
  /** In `waiting`: the time until the next attempt. */
  delayMs?: number;
  /** In `connected`: the relay's mode. Messages have numbers only in replay mode. */
  delivery?: "replay" | "retry";
}
