import type { SQSMessageAttributes } from "aws-lambda";
import type { MESSAGE_ATTRIBUTES } from "../../protocol";
import type { Message } from "../messages/message";
import { receiptOf } from "../receipts/receipts";
import type { SessionKey } from "../sessions/sessionKey";
import type { Entry } from "./history";
import { messageGroupIdOf } from "./historyKey";

/**
 * An entry as a message for a queue, addressed to its session. Without a scope, and without the idempotency key: with it, the
 * message would be a copy of itself if it is stored again.
 */
export function publishedMessage(
  key: SessionKey,
  { messageId, body = "", expiresAtMs, attributes }: Entry,
): Pick<Message, "body" | "messageId" | "sqsMessageId" | "messageGroupId" | "attributes"> {
  const { user, context, contextId } = receiptOf(key, { status: "expired", messageId }, 0);
  const expiresAt = expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString();
  return {
    body,
    messageId,
    sqsMessageId: messageId,
    messageGroupId: messageGroupIdOf(key),
    attributes: { ...attributes, ...relayAttributes({ user, context, contextId, messageId, expiresAt }) },
  };
}

function relayAttributes(values: Partial<Record<keyof typeof MESSAGE_ATTRIBUTES, string>>): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, stringValue]) =>
      stringValue === undefined ? [] : [[name, { dataType: "String" as const, stringValue }]],
    ),
  );
}
