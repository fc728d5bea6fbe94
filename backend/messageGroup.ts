import { createHash } from "node:crypto";
import { sessionId, type SessionKey } from "../handlers/sessions/sessionKey";

/**
 * The message group of a session: on a standard queue it keeps a session with many messages from starving the others. A hash,
 * since a group takes 128 characters of ASCII and a user's code is any text.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function messageGroupOf(key: SessionKey): string {
  return createHash("sha256").update(sessionId(key)).digest("hex");
}

/**
 * By what a FIFO topic knows a message that it was sent before, five minutes ago at most: the SDK's own second try sends the
 * same one. A hash, since it takes no spaces. Of the group too, since a topic may compare across groups.
 * https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
 */
export function deduplicationIdOf(messageGroupId: string, messageId: string): string {
  return createHash("sha256")
    .update(JSON.stringify([messageGroupId, messageId]))
    .digest("hex");
}
