import type { Resume } from "../protocol";
import type { Clock } from "./clock";
import type { CursorStore } from "./cursorStore";
import type { ExpiredMessage, Gap, RelayMessage } from "./messages";
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
   * Gets the messages in order, the next one once this has returned, or once the promise that it returned is settled. Then
   * the message counts as handled, and is not handed over again; so it does if this throws or rejects, which goes to `onError`.
   */
  onMessage(message: RelayMessage): void | PromiseLike<void>;
  /** Called anew for each connection. @default none: the browser's cookie counts */
  token?: TokenProvider;
  /** Messages are missing and will not come any more; in order with the messages. @default it goes to `onError` */
  onGap?(gap: Gap): void | PromiseLike<void>;
  /** A message expired before it got here; in order with the messages. @default it is passed over */
  onExpired?(message: ExpiredMessage): void | PromiseLike<void>;
  onStateChange?(state: RelayState, detail: StateDetail): void;
  /** What went wrong. The client goes on by itself. @default `console.error` */
  onError?(error: RelayClientError): void;
  /** Keeps what was handled over restarts of the page or app. @default memory: the relay knows what was acknowledged */
  cursorStore?: CursorStore;
  /** Without a cursor: `oldest` asks for everything that is still there. @default "acknowledged": what was not acknowledged yet */
  from?: Resume["from"];
  /** @default the global one, which browsers, React Native and Node from 22 on have */
  WebSocket?: WebSocketConstructor;

  /** After which without anything received a ping is sent; below the gateway's ten minutes. @default 30,000 */
  heartbeatIntervalMs?: number;
  /** After which without an answer to it the connection is taken for dead. @default 10,000 */
  heartbeatTimeoutMs?: number;
  /** For token and handshake together; the gateway's own limit is 29 s. @default 30,000 */
  connectTimeoutMs?: number;
  /** How long the gateway lets a connection live; it is replaced after 75 to 95 % of that. @default 7,200,000 */
  maxConnectionMs?: number;
  /** After which a resume that brings nothing is asked again. @default 10,000 */
  resumeTimeoutMs?: number;
  /** How long a missing message is waited for before it is asked for: another one may have overtaken it. @default 250 */
  gapWaitMs?: number;
  /** How many messages wait for `onMessage`, and how many for those before them, at most; others are asked for again. @default 1,000 */
  maxBufferedMessages?: number;
  /** How long what was handled waits for its acknowledgement. @default 1,000 */
  ackDelayMs?: number;
  /** How many handled messages do not wait. @default 100 */
  ackEveryMessages?: number;
  /** The longest pause after a first failure, doubled with each further one. @default 1,000 */
  backoffBaseMs?: number;
  /** The longest pause of all. @default 60,000 */
  backoffCapMs?: number;

  /** For tests. @default the system's */
  clock?: Clock;
  /** From 0 to below 1, for tests. @default `Math.random` */
  random?: () => number;
}
