/** The connections that have taken a message, where it is retried for others. */
export interface PartialDeliveries {
  /** By the queue's ids of the messages; those that no connection has taken are missing. Consistent. */
  read(sqsMessageIds: readonly string[], signal?: AbortSignal): Promise<Map<string, ReadonlySet<string>>>;
  /** @param expirationDate Epoch seconds after which the queue no longer has the message. */
  add(
    sqsMessageId: string,
    connectionIds: readonly string[],
    expirationDate: number,
    signal?: AbortSignal,
  ): Promise<void>;
}
