import { createHash } from "node:crypto";
import { sessionId, type SessionKey } from "../handlers/session";

/**
 * The message group of a session: on a standard queue it keeps a session with many messages from starving the others. A hash,
 * since a group takes 128 characters of ASCII and a user's code is any text.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function messageGroupOf(key: SessionKey): string {
  return createHash("sha256").update(sessionId(key)).digest("hex");
}
