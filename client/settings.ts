import type { QUERY_PARAMETERS } from "../protocol";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, fullJitterMs } from "./backoff";
import { surroundings, systemClock } from "./clock";
import { isCursor, memoryCursorStore } from "./cursorStore";
import type { RelayClientOptions } from "./options";
import { RelayClientError } from "./relayClientError";
import type { WebSocketConstructor } from "./webSocketLike";

/** Default, maximum, and minimum if it is not 1. Without a default, the mode or the relay sets the value. */
const NUMBERS = {
  heartbeatIntervalMs: [undefined, 540_000],
  heartbeatTimeoutMs: [10_000, 540_000],
  connectTimeoutMs: [30_000, 600_000],
  maxConnectionMs: [7_200_000, 7_200_000],
  resumeTimeoutMs: [10_000, 600_000],
  gapWaitMs: [250, 600_000, 0],
  streamTimeoutMs: [45_000, 86_400_000],
  maxBufferedMessages: [1_000, 1_000_000],
  ackDelayMs: [undefined, 600_000, 0],
  ackEveryMessages: [Infinity, 1_000_000],
  backoffBaseMs: [BACKOFF_BASE_MS, 86_400_000],
  backoffCapMs: [BACKOFF_CAP_MS, 86_400_000],
} as const;

const CALLBACKS = ["onMessage", "onStream", "onGap", "onExpired", "onStateChange", "onError"] as const;
const OTHERS = ["url", "context", "contextId", "token", "cursorStore", "from", "WebSocket", "clock", "random"];

type Undefaulted = "heartbeatIntervalMs" | "ackDelayMs";
type Numbers = Record<Exclude<keyof typeof NUMBERS, Undefaulted>, number>;
type Defaulted = "cursorStore" | "WebSocket" | "clock" | "random";

type Names = typeof QUERY_PARAMETERS;
/** Type-checks the names against the protocol's without bundling its object. */
type Query = `${Names["context"]}=${string}&${Names["contextId"]}=${string}`;

/** The validated options with their defaults; `url` is that of the handshake. */
export type Settings = RelayClientOptions &
  Numbers &
  Required<Pick<RelayClientOptions, Defaulted>> & {
    report(code: RelayClientError["code"], message: string, cause?: unknown): void;
    /** The pause after this number of failures. */
    backoffMs(failures: number): number;
  };

/** @throws RelayClientError */
export function settingsOf(options: RelayClientOptions): Settings {
  const { url, context, contextId, token, from, cursorStore = memoryCursorStore(), clock = systemClock } = options;
  const { random = Math.random, WebSocket = surroundings.WebSocket as WebSocketConstructor } = options;
  const names = [...CALLBACKS, ...OTHERS, ...Object.keys(NUMBERS)];
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) refuse(name, "unknown", names.join(", "), "check the spelling");
  }
  if (!/^wss?:\/\/[^#]+$/.test(url)) {
    refuse("url", url, "wss://…, without a fragment", "pass the relay's output websocketUrl");
  }
  if (!isText(context) || context.includes("#")) {
    refuse("context", context, "a string of 1 character or more, without #", "pass the backend's context");
  }
  if (!isText(contextId)) {
    refuse("contextId", contextId, "a string of 1 character or more", "pass the backend's contextId");
  }
  if (!isCursor(from) && ![undefined, "acknowledged", "oldest"].includes(from)) {
    refuse("from", from, '"acknowledged", "oldest" or { epoch, seq }');
  }
  if (token !== undefined && !isFunction(token)) refuse("token", typeof token, "a function that returns the token");
  for (const name of CALLBACKS) {
    if (!isFunction(options[name]) && (options[name] !== undefined || name === "onMessage")) {
      refuse(name, options[name], "a function", "pass a callback");
    }
  }
  if (!isFunction(cursorStore.get) || !isFunction(cursorStore.set)) refuse("cursorStore", cursorStore, "{ get, set }");
  if (!isFunction(WebSocket)) refuse("WebSocket", WebSocket, "a class", "pass the one of the package ws");
  const numbers = {} as Numbers;
  for (const [name, [byDefault, most, least = 1]] of Object.entries(NUMBERS) as [keyof Numbers, readonly number[]][]) {
    const value = options[name] ?? (byDefault as number);
    if (value !== byDefault && !(typeof value === "number" && value >= least && value <= (most as number))) {
      refuse(name, value, `a number from ${least} to ${most}`);
    }
    numbers[name] = value;
  }
  const query: Query = `context=${encodeURIComponent(context)}&contextId=${encodeURIComponent(contextId)}`;
  return {
    ...options,
    ...numbers,
    cursorStore,
    clock,
    random,
    WebSocket,
    url: url + (url.includes("?") ? "&" : "?") + query,
    report: (code, message, cause) => {
      const error = new RelayClientError(code, message, cause);
      try {
        if (options.onError) options.onError(error);
        else surroundings.console?.error(error);
      } catch (thrown) {
        // onError cannot report its own error: the runtime handles the rejection.
        void Promise.reject(thrown);
      }
    },
    backoffMs: (failures) => fullJitterMs(failures, random, numbers.backoffBaseMs, numbers.backoffCapMs),
  };
}

function refuse(name: string, got: unknown, allowed: string, fix = `correct ${name}, or leave it out`): never {
  throw new RelayClientError(
    "input",
    `${name} is ${typeof got === "string" ? `"${got}"` : String(got)}; allowed: ${allowed}. Fix: ${fix}`,
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}
