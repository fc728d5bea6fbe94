/** Why a message was not delivered: stable words, in logs, metrics and in the `reason` of dead letters. */
export const REASONS = {
  noSession: "no-session",
  sessionExpired: "session-expired",
  /** The session ends with its token, and the token has. */
  tokenExpired: "token-expired",
  /** Its connection is from the other delivery mode: the stack was switched. */
  subprotocolChanged: "subprotocol-changed",
  sessionStoreUnavailable: "session-store-unavailable",
  historyUnavailable: "history-unavailable",
  /** Other messages of the session took one number after the other before it. */
  historyContended: "history-contended",
  connectionGone: "connection-gone",
  throttled: "throttled",
  gatewayError: "gateway-error",
  networkError: "network-error",
  timeout: "timeout",
  /** The management API denied access: a configuration error. */
  forbidden: "forbidden",
  /** A fault in the relay while it handled this message. */
  internalError: "internal-error",
  notReached: "not-reached",
  /** Followed by `: ` and the reason why an earlier message of the session failed. */
  heldBack: "held-back",
  /** Another invocation posts to the session's raw connections. */
  rawBusy: "raw-busy",
  /** Addressed to a user or a context with more sessions than one message may go to. */
  tooManySessions: "too-many-sessions",
  /** In log lines only: another message of the session has the same idempotency key. */
  idempotencyKey: "idempotency-key",
  /** The message's own `expiresAt` has passed. */
  expired: "expired",
  payloadTooLarge: "payload-too-large",
  /** Followed by `: ` and the attribute's name. */
  missingAttribute: "missing-attribute",
  /** Followed by `: ` and the problem. */
  unusableAttribute: "unusable-attribute",
} as const;

/** The stable first part of a reason, for metrics. */
export function stableReason(reason: string): string {
  return reason.split(": ", 1)[0] ?? reason;
}

type Reason = (typeof REASONS)[keyof typeof REASONS];

/** Whether a dead letter with the reason only means that its user was away, and so does not need an operator. */
const USER_WAS_AWAY: Record<Exclude<Reason, typeof REASONS.heldBack>, boolean> = {
  [REASONS.noSession]: true,
  [REASONS.sessionExpired]: true,
  [REASONS.tokenExpired]: true,
  // Its connection was closed so that the client reconnects, which it did not do.
  [REASONS.subprotocolChanged]: true,
  [REASONS.sessionStoreUnavailable]: false,
  [REASONS.historyUnavailable]: false,
  [REASONS.historyContended]: false,
  [REASONS.connectionGone]: true,
  [REASONS.throttled]: false,
  [REASONS.gatewayError]: false,
  [REASONS.networkError]: false,
  [REASONS.timeout]: false,
  [REASONS.forbidden]: false,
  [REASONS.internalError]: false,
  [REASONS.notReached]: false,
  [REASONS.rawBusy]: false,
  [REASONS.tooManySessions]: false,
  [REASONS.idempotencyKey]: false,
  // The publisher chose the time. If a fault of the relay used it up, the metrics of the failed attempts tell.
  [REASONS.expired]: true,
  [REASONS.payloadTooLarge]: false,
  [REASONS.missingAttribute]: false,
  [REASONS.unusableAttribute]: false,
};

const HELD_BACK = `${REASONS.heldBack}: `;

/** Whether a failure with this reason only means that the user was away. */
export function isUserAway(reason: string): boolean {
  // A message that was held back failed for the cause of the earlier one, which follows.
  if (reason.startsWith(HELD_BACK)) return isUserAway(reason.slice(HELD_BACK.length));
  return (USER_WAS_AWAY as Record<string, boolean>)[stableReason(reason)] === true;
}
