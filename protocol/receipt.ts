// Generated from receipt.schema.json by protocol/generateTypes: change the schema, and run that.

/**
 * Relay -> backend, over the receipts topic: the outcome of a message. Each receipt is delivered at least once; `messageId` and `status` identify it.
 */
export interface Receipt {
  /**
   * `delivered`: a client acknowledged the message. `accepted`: the gateway accepted it for a client without the protocol, which cannot acknowledge. `waiting`: no client has acknowledged it within `waitingAfterSeconds`; another receipt follows. `expired`: no client acknowledged it within the history's retention or before the message's `expiresAt`. `dead`: `deliver` dead-lettered it.
   */
  status: "delivered" | "accepted" | "waiting" | "expired" | "dead";
  /**
   * Only for `expired` and `dead`: the reason, as in logs and dead letters.
   */
  reason?: string;
  /**
   * The backend's `messageId`; without one, the retry queue's message ID.
   */
  messageId: string;
  /**
   * As published; empty if a dead letter has none.
   */
  user: string;
  /**
   * As published; empty if a dead letter has none.
   */
  context: string;
  /**
   * As published; empty if a dead letter has none.
   */
  contextId: string;
  /**
   * The epoch of `seq`. Absent if the message never had a number.
   */
  epoch?: string;
  /**
   * The message's number in its session. Absent if it never had one.
   */
  seq?: number;
  /**
   * The time of the outcome: an RFC 3339 date and time.
   */
  at: string;
}
