/** Why a message was not delivered: stable words, in logs, metrics and in the `reason` of dead letters. */
export const REASONS = {
  noSession: "no-session",
  sessionExpired: "session-expired",
  /** The session ends with its token, and the token has. */
  tokenExpired: "token-expired",
  /** Its connection is one of the other mode of delivery: the stack was switched. */
  subprotocolChanged: "subprotocol-changed",
  sessionStoreUnavailable: "session-store-unavailable",
  historyUnavailable: "history-unavailable",
  /** Other messages of the session were given one number after the other first. */
  historyContended: "history-contended",
  connectionGone: "connection-gone",
  throttled: "throttled",
  gatewayError: "gateway-error",
  networkError: "network-error",
  timeout: "timeout",
  /** The management API refuses us: a configuration error. */
  forbidden: "forbidden",
  /** Our own fault in handling this message. */
  internalError: "internal-error",
  notReached: "not-reached",
  /** Followed by `: ` and what an earlier message of the session failed of. */
  heldBack: "held-back",
  /** The message's own `expiresAt` has passed. */
  expired: "expired",
  payloadTooLarge: "payload-too-large",
  /** Followed by `: ` and the attribute's name. */
  missingAttribute: "missing-attribute",
  /** Followed by `: ` and what is wrong. */
  unusableAttribute: "unusable-attribute",
} as const;

/** The stable first part of a reason, for counting by it. */
export function stableReason(reason: string): string {
  return reason.split(": ", 1)[0] ?? reason;
}
