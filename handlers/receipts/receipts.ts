import type { Receipt } from "../../protocol";
import type { SessionKey } from "../sessions/sessionKey";

/** Where the backend learns the outcome of each message. */
export interface Receipts {
  /** False if the relay has no receipts: reads that only serve a receipt can be left out. */
  readonly wanted: boolean;
  /**
   * Publishes the receipts; does nothing if the relay has none.
   *
   * @throws if the topic may not have taken one of them: publish all of them again.
   */
  publish(receipts: readonly Receipt[], signal?: AbortSignal): Promise<void>;
}

/** The receipts of a relay that has none. */
export const NO_RECEIPTS: Receipts = { wanted: false, publish: () => Promise.resolve() };

/** The part of a receipt that does not follow from the session. */
export interface ReceiptContent {
  status: Receipt["status"];
  reason?: string;
  messageId: string;
  epoch?: string;
  seq?: number;
}

/** The receipt of one of the session's messages. */
export function receiptOf(
  key: SessionKey,
  { status, reason, messageId, epoch, seq }: ReceiptContent,
  nowMs: number,
): Receipt {
  const separator = key.context.indexOf("#");
  return {
    status,
    ...(reason !== undefined && { reason }),
    messageId,
    user: key.callerId.slice(key.callerId.indexOf("#") + 1),
    context: key.context.slice(0, separator),
    contextId: key.context.slice(separator + 1),
    ...(epoch !== undefined && { epoch }),
    ...(seq !== undefined && { seq }),
    at: new Date(nowMs).toISOString(),
  };
}
