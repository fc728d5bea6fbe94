// Generated from receipt.schema.json by protocol/generateTypes: change the schema, and run that.

/**
 * Relay -> backend, over the receipts topic: what became of a message. Each comes at least once; `messageId` and `status` identify it.
 */
export interface Receipt {
  /**
   * `delivered`: a client has acknowledged it. `expired`: no client has within the history's retention, or before the message's own `expiresAt`. `dead`: it was dead-lettered by `deliver`.
   */
  status: "delivered" | "expired" | "dead";
  /**
   * Of `expired` and `dead`: why, as in logs and dead letters.
   */
  reason?: string;
  /**
   * The backend's own; without one, the retry queue's.
   */
  messageId: string;
  /**
   * As published; empty where a dead letter has none.
   */
  user: string;
  /**
   * As published; empty where a dead letter has none.
   */
  context: string;
  /**
   * As published; empty where a dead letter has none.
   */
  contextId: string;
  /**
   * The epoch of `seq`. Absent where the message never had a number.
   */
  epoch?: string;
  /**
   * The message's number in its session. Absent where it never had one.
   */
  seq?: number;
  /**
   * When that became known: an RFC 3339 date and time.
   */
  at: string;
}
