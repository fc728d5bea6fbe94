/**
 * The client of a relay, for browsers, React Native and Node: it stays connected, and receives each message once and in order.
 *
 * @module pulumi-websocket-relay/client
 */

export { BACKOFF_BASE_MS, BACKOFF_CAP_MS } from "./backoff";
export type { Clock } from "./clock";
export {
  type CursorStore,
  memoryCursorStore,
  type StoredCursor,
  type WebStorage,
  webStorageCursorStore,
} from "./cursorStore";
export { followState, type FollowStateOptions, type Snapshot } from "./followState";
export type { ExpiredMessage, Gap, RelayMessage, StreamPiece } from "./messages";
export type { RelayClientOptions } from "./options";
export { RelayClient } from "./relayClient";
export { RelayClientError, type RelayClientErrorCode } from "./relayClientError";
export type { RelayState, StateDetail } from "./state";
export type { Token, TokenProvider } from "./token";
export type { WebSocketConstructor, WebSocketLike } from "./webSocketLike";
export type { Cursor } from "../protocol";
