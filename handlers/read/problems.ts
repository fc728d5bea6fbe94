import { STATUS_CODES } from "node:http";
import { bearersOf } from "../connect/auth/credential";
import type { ClientRequest } from "../connect/clientRequest";
import type { Refusal, RefusalReason } from "../connect/refusals";
import { offsetOf } from "./offset";
import type { Gone } from "./readPage";

/** The reasons of `connect` that also apply here: all that do not depend on a session's connections. */
type ConnectReason = Exclude<RefusalReason, "superseded" | "too-many-connections" | "internal-error">;

/** Why a request is refused: stable words in the answer, the log and the metric. */
export type ProblemReason =
  | ConnectReason
  | "internal-error"
  | "method-not-allowed"
  | "live-not-supported"
  | "offset-expired"
  | "offset-unknown"
  | "too-many-requests";

/** Why a request gets no page. */
export interface Problem {
  statusCode: number;
  reason: ProblemReason;
  /** What is wrong, and the fix: sent to the client. */
  detail: string;
  /** With 410: the offset from which to read on. */
  offset?: string;
  headers?: Record<string, string>;
  /** The detail for the log, which the client does not get. @default `detail` */
  logged?: string;
}

export const problems = {
  badOffset: (message: string): Problem => ({
    statusCode: 400,
    reason: "bad-request",
    detail: `${message}. Fix: read from offset=${READ_ALL}, and then from each answer's Stream-Next-Offset`,
  }),
  /** A refusal of `connect`. */
  refused: ({ statusCode, reason, message, detail }: Refusal, request: ClientRequest): Problem => ({
    statusCode,
    reason: reason as ConnectReason,
    detail: `${messageFor(reason, message, request)}. Fix: ${FIXES[reason as ConnectReason]}`,
    ...(statusCode === 401 && { headers: { "WWW-Authenticate": "Bearer" } }),
    ...(detail !== undefined && { logged: detail }),
  }),
  // Not 501, as a server would say: the protocol's own client retries every 5xx, and never tells its caller.
  liveNotSupported: (live: string): Problem => ({
    statusCode: 400,
    reason: "live-not-supported",
    detail:
      `live: got ${JSON.stringify(live.slice(0, 100))}; allowed: none, since this relay only answers what is stored. ` +
      "Fix: leave live out (live: false in @durable-streams/client), and connect to the WebSocket for new messages",
  }),
  methodNotAllowed: (method: string): Problem => ({
    statusCode: 405,
    reason: "method-not-allowed",
    detail: `method: got ${method}; allowed: ${METHODS}. Fix: publish messages to the relay's SNS topic`,
    headers: { Allow: METHODS },
  }),
  gone: ({ lost, readOn }: Gone): Problem => {
    const offset = readOn ? offsetOf(readOn) : READ_ALL;
    return {
      statusCode: 410,
      reason: lost === "expired" ? "offset-expired" : "offset-unknown",
      detail: `${GONE[lost]}. Fix: load your state again if messages lead to it, then read from offset=${offset}`,
      offset,
    };
  },
  tooManyRequests: (): Problem => ({
    statusCode: 429,
    reason: "too-many-requests",
    detail: "the relay's tables are read too often. Fix: read again after the seconds in Retry-After",
    headers: { "Retry-After": "1" },
  }),
  internalError: (): Problem => ({
    statusCode: 500,
    reason: "internal-error",
    detail: "the session could not be read. Fix: read again; if that fails too, the function's log names the cause",
  }),
};

/** The methods that are answered. */
export const METHODS = "GET, HEAD, OPTIONS";

/** The offset that starts at the oldest message. */
const READ_ALL = "-1";

const GONE: Record<Gone["lost"], string> = {
  expired: "the messages after this offset have expired",
  epoch: "this offset is of a log that no longer exists",
  ahead: "this offset is after the log's end: the log was restored to an earlier time",
};

const FIXES: Record<ConnectReason, string> = {
  "bad-request":
    "send the query parameters of the WebSocket: ?context=…&contextId=…, and &user=… if authentication is off",
  "no-credential": "send Authorization: Bearer and the token",
  "token-refused": "get a new token; the function's log names what is wrong with this one",
  "ambiguous-cookie": "send Authorization: Bearer and the token",
  "origin-not-allowed": "add the page's origin to allowedOrigins",
  "user-blocked": "read again once the block of disconnectUser has ended",
};

/** Names the header, the only way to send a token over HTTP. */
function messageFor(reason: RefusalReason, message: string, request: ClientRequest): string {
  const isMissing = reason === "no-credential" && bearersOf(request).length === 0;
  return isMissing ? "there is no token in the Authorization header" : message;
}

/** The body of the answer, by RFC 9457. */
export function problemBody({ statusCode, reason, detail, offset }: Problem): string {
  const title = STATUS_CODES[statusCode];
  return JSON.stringify({ title, status: statusCode, reason, detail, ...(offset !== undefined && { offset }) });
}
