/** Reasons that only say that the user was away: a dead letter with one of them is nothing to fix. */
const USER_AWAY = {
  noSession: "no-session",
  sessionExpired: "session-expired",
  /** The session ends with its token, and the token has. */
  tokenExpired: "token-expired",
  /** Its connection is from the other delivery mode: the stack was switched. The client was told to reconnect, and did not. */
  subprotocolChanged: "subprotocol-changed",
  connectionGone: "connection-gone",
  /** The message's own `expiresAt` has passed. If a fault used up the time, the metrics of the failed attempts tell. */
  expired: "expired",
} as const;

/** Reasons that someone has to look at: the operator, the publisher, or the relay's authors. */
const TO_FIX = {
  sessionStoreUnavailable: "session-store-unavailable",
  historyUnavailable: "history-unavailable",
  /** Other messages of the session took one number after the other before it. */
  historyContended: "history-contended",
  throttled: "throttled",
  gatewayError: "gateway-error",
  networkError: "network-error",
  timeout: "timeout",
  /** The management API denied access: a configuration error. */
  forbidden: "forbidden",
  /** A fault in the relay while it handled this message. */
  internalError: "internal-error",
  notReached: "not-reached",
  /** Followed by `: ` and the reason why an earlier message of the session failed, which decides what it is. */
  heldBack: "held-back",
  /** Another invocation posts to the session's raw connections. Never the reason of a dead letter. */
  rawBusy: "raw-busy",
  /** Addressed to a user or a context with more sessions than one message may go to. */
  tooManySessions: "too-many-sessions",
  /** In log lines only: another message of the session has the same idempotency key. */
  idempotencyKey: "idempotency-key",
  payloadTooLarge: "payload-too-large",
  /** Followed by `: ` and the attribute's name. */
  missingAttribute: "missing-attribute",
  /** Followed by `: ` and the problem. */
  unusableAttribute: "unusable-attribute",
} as const;

/**
 * Why a message was not delivered: stable words, in logs, metrics and in the `reason` of dead letters. Each is declared in one
 * of the two groups above, which decides what alarm its dead letters raise. (A spread of both would stay in bundles that use no
 * reason.)
 */
export const REASONS = /* @__PURE__ */ Object.assign({}, USER_AWAY, TO_FIX);

/** The stable first part of a reason, for metrics. */
export function stableReason(reason: string): string {
  return reason.split(": ", 1)[0] ?? reason;
}

/** Whether a failure with this reason only means that the user was away. */
export function isUserAway(reason: string): boolean {
  // Of a message that was held back, the cause decides.
  const cause = reason.replace(/^(held-back: )+/, "");
  return (Object.values(USER_AWAY) as string[]).includes(stableReason(cause));
}
