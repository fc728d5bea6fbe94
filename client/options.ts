import type { Cursor, Resume } from "../protocol";
import type { Clock } from "./clock";
import type { CursorStore } from "./cursorStore";
import type { ExpiredMessage, Gap, RelayMessage, StreamPiece } from "./messages";
import type { RelayClientError } from "./relayClientError";
import type { RelayState, StateDetail } from "./state";
import type { TokenProvider } from "./token";
import type { WebSocketConstructor } from "./webSocketLike";

export interface RelayClientOptions {
  /** The relay's `websocketUrl`, `wss://…`. It may have a query. */
  url: string;
  /** The feature, as the backend addresses it. Not empty, without `#`. */
  context: string;
  /** The entity, as the backend addresses it. Not empty. */
  contextId: string;
  /**
   * Called with each message, in order: the next one follows once this has returned, or once its promise is settled. Then the
   * message counts as handled, and is not passed again, even if this throws or rejects, which is reported to `onError`.
   */
  onMessage(message: RelayMessage): void | PromiseLike<void>;
  /** Called for each connection. @default none: the browser sends its cookie */
  token?: TokenProvider;
  /**
   * Called with the text of streams (`RelayBackend.stream`), each in the order of its offsets; a returned promise is awaited, as that
   * of `onMessage`. All text of a stream that has arrived by then comes as one piece.
   *
   * @default the chunks of streams are passed to `onMessage`
   */
  onStream?(piece: StreamPiece): void | PromiseLike<void>;
  /** Called, in order, when messages are missing and will not arrive. @default the gap is reported to `onError` */
  onGap?(gap: Gap): void | PromiseLike<void>;
  /** Called, in order, for a message that expired before it arrived. @default the message is skipped */
  onExpired?(message: ExpiredMessage): void | PromiseLike<void>;
  /** Called after each change of `state`. @default none */
  onStateChange?(state: RelayState, detail: StateDetail): void;
  /** Called with each error. The client recovers by itself. @default `console.error` */
  onError?(error: RelayClientError): void;
  /** Keeps the cursor across restarts of the page or app. @default in memory: a new client starts after the last acknowledged message */
  cursorStore?: CursorStore;
  /**
   * Where to start without a cursor in the store. `oldest` requests the whole history; a cursor, such as the position of a
   * snapshot, the messages after it, and acknowledges those up to it.
   *
   * @default "acknowledged": after the last acknowledged message
   */
  from?: Resume["from"] | Cursor;
  /** The WebSocket class, such as that of the package `ws`. @default the global one of browsers, React Native and Node 22 or later */
  WebSocket?: WebSocketConstructor;

  /**
   * Idle time before each ping, in ms; shorter than the gateway's idle timeout of ten minutes.
   *
   * @default 30,000 in retry mode; in replay mode 10,000 after a connection, a resume or `wake()`, growing to 330,000
   */
  heartbeatIntervalMs?: number;
  /** Time to wait for the pong before the connection counts as dead, in ms. @default 10,000 */
  heartbeatTimeoutMs?: number;
  /** Time limit for the token and the handshake together, in ms; the gateway's own limit is 29 s. @default 30,000 */
  connectTimeoutMs?: number;
  /** Maximum duration of a connection, in ms: it is replaced after 75 to 95 % of this time. @default 7,200,000, the gateway's limit */
  maxConnectionMs?: number;
  /** Time to wait for the response to a resume before it is sent again, in ms. @default 10,000 */
  resumeTimeoutMs?: number;
  /** How long to wait for a missing message before requesting it, in ms: it may arrive after a later one. @default 250 */
  gapWaitMs?: number;
  /**
   * How long an open stream may be silent, in ms, while the client is connected: then its status is `timed-out`. Longer than the
   * backend's `keepAliveMs`. @default 45,000
   */
  streamTimeoutMs?: number;
  /** Maximum number of messages that wait for `onMessage`, and of those that wait for earlier ones; others are requested again. @default 1,000 */
  maxBufferedMessages?: number;
  /**
   * Delay between a handled message and its acknowledgement, in ms.
   *
   * @default the relay's `ackSeconds`; without it, only resumes, closing and hiding the page acknowledge
   */
  ackDelayMs?: number;
  /** Number of handled messages that trigger an acknowledgement at once. @default no number does */
  ackEveryMessages?: number;
  /** The longest pause after the first failure, in ms; it doubles with each further failure. @default 1,000 */
  backoffBaseMs?: number;
  /** The upper limit of all pauses, in ms. @default 60,000 */
  backoffCapMs?: number;

  /** The clock, for tests. @default the system's clock */
  clock?: Clock;
  /** Returns a number from 0 to below 1, for tests. @default `Math.random` */
  random?: () => number;
}
