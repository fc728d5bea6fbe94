/** Why a message was not delivered: stable words, in logs and in the `reason` of dead letters. */
export const REASONS = {
  noSession: "no-session",
  sessionExpired: "session-expired",
  sessionStoreUnavailable: "session-store-unavailable",
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
  payloadTooLarge: "payload-too-large",
  /** Followed by `: ` and the attribute's name. */
  missingAttribute: "missing-attribute",
  /** Followed by `: ` and what is wrong. */
  unusableAttribute: "unusable-attribute",
} as const;
