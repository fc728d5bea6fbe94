import { createHash } from "node:crypto";
import type { Scope, SessionKey } from "../handlers/sessions/sessionKey";

/**
 * The message group of a session, of a user, or of a user's context: on a standard queue, a session with many messages then does
 * not delay the others. It is a hash because a group ID has at most 128 ASCII characters, and a user's code may be any string.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function messageGroupOf({ callerId, context }: SessionKey | Scope): string {
  // The sort key of a session contains a #, and a scope's context does not: their groups differ.
  const id = context === undefined ? [callerId] : [callerId, context];
  return createHash("sha256").update(JSON.stringify(id)).digest("hex");
}

/**
 * Deduplication ID of a publication: SNS drops a second publication with the same ID for five minutes, such as a retry of the
 * SDK. It is a hash because the ID must not contain spaces. It includes the group because a topic may compare across groups.
 * https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
 */
export function deduplicationIdOf(messageGroupId: string, messageId: string): string {
  return createHash("sha256")
    .update(JSON.stringify([messageGroupId, messageId]))
    .digest("hex");
}
