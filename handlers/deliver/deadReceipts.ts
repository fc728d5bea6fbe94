import type { Receipt } from "../../protocol";
import { receiptOf } from "../receipts/receipts";
import type { DeadLettered } from "./settle";

/** The receipt of a dead letter. Parts that its address lacks are empty, as with a scope. */
export function deadReceiptOf({ message, cursor, reason }: DeadLettered, nowMs: number): Receipt {
  const { messageId, key, attributes } = message;
  if (key?.value) return receiptOf(key.value, { status: "dead", reason, messageId, ...cursor }, nowMs);
  const [user = "", context = "", contextId = ""] = ["user", "context", "contextId"].map(
    (name) => attributes[name]?.stringValue,
  );
  return { status: "dead", reason, messageId, user, context, contextId, at: new Date(nowMs).toISOString() };
}
