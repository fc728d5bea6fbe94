/**
 * `connecting`: a token, a handshake or the first answer is awaited. `connected`: messages come. `waiting`: a connection
 * failed, the next one follows. `superseded`: another client has the session, until `connect()` takes it back. `closed`:
 * before `connect()`, and after `close()`.
 */
export type RelayState = "connecting" | "connected" | "waiting" | "superseded" | "closed";

export interface StateDetail {
  previous: RelayState;
  /** Why, where something happened: for people and logs. */
  reason?: string;
  /** Of a connection that ended: 1006 where it broke or was refused. */
  closeCode?: number;
  /** Of a refused handshake, where the runtime tells it: not in browsers and Node's own WebSocket. */
  statusCode?: number;
  /** In `waiting`: when the next connection is tried, from now. */
  delayMs?: number;
  /** In `connected`: whether the relay delivers by replay, with numbers, or by retry. */
  delivery?: "replay" | "retry";
}
