/**
 * What became of a message, relay -> backend, over the receipts topic: a JSON text. Each comes at least once, so that one
 * may come again; `messageId` and `status` name it.
 */
export interface Receipt {
  /**
   * `delivered`: a client has acknowledged it. `expired`: nobody has within the history's retention, or before the message's
   * own `expiresAt`. `dead`: it was never sent, and is in the dead-letter queue.
   */
  status: "delivered" | "expired" | "dead";
  /** Of `expired` and `dead`: why, as in logs and dead letters. */
  reason?: string;
  /** The backend's own; without one, the retry queue's. */
  messageId: string;
  user: string;
  context: string;
  contextId: string;
  /** Where it stood in the session's sequence; undefined where it never had a number. */
  epoch?: string;
  seq?: number;
  /** When that became known: an RFC 3339 date and time. */
  at: string;
}

/** Attributes of a receipt, for the filter policies of subscriptions. */
export const RECEIPT_ATTRIBUTES = {
  status: "status",
  user: "user",
  context: "context",
} as const;
