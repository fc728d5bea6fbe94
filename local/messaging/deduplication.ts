import { createHash } from "node:crypto";
import { AwsError } from "./awsError";

/** A deduplication id has the characters of a group's id. Neither has a space, which separates the two here. */
const allowed = /^[\x21-\x7e]{1,128}$/;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html */
const windowMs = 300_000;

/** A message as a client sends it, by AWS's own names. */
export interface Deduplicated {
  groupId: unknown;
  deduplicationId: unknown;
  body: unknown;
}

/** The queue or topic that it is sent to. */
export interface DeduplicationTarget {
  kind: "queue" | "topic";
  isFifo: boolean;
  isContentBased: boolean;
}

/**
 * The deduplication id that fauxqs gets: with the group before it, since fauxqs ignores groups. Undefined for a message without
 * one; callers that need one refuse the message.
 *
 * @throws AwsError where AWS refuses the id, or any id.
 */
export function scopedDeduplicationId(message: Deduplicated, target: DeduplicationTarget): string | undefined {
  const { groupId, deduplicationId, body } = message;
  const code = target.kind === "queue" ? "InvalidParameterValue" : "InvalidParameter";
  if (deduplicationId === undefined || deduplicationId === null) {
    const isHashed = target.isFifo && target.isContentBased && typeof body === "string";
    // Of the body alone: not of the attributes.
    return isHashed && groupId ? `${String(groupId)} ${createHash("sha256").update(body).digest("hex")}` : undefined;
  }
  const value = `Value ${JSON.stringify(deduplicationId)} for parameter MessageDeduplicationId is invalid. Reason: `;
  if (!target.isFifo) {
    const ofTopic = "The request includes MessageDeduplicationId parameter that is not valid for this topic type";
    const ofQueue = "The request include parameter that is not valid for this queue type.";
    throw new AwsError(code, target.kind === "queue" ? `${value}${ofQueue}` : `Invalid parameter: ${ofTopic}`);
  }
  if (typeof deduplicationId !== "string" || !allowed.test(deduplicationId)) {
    const reason =
      "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.";
    throw new AwsError(code, `${value}${reason}`);
  }
  return groupId ? `${String(groupId)} ${deduplicationId}` : deduplicationId;
}

/** The id as its sender gave it. */
export function withoutGroup(scopedId: string): string {
  return scopedId.slice(scopedId.indexOf(" ") + 1);
}

/** The messages that FIFO topics have taken within the last five minutes. fauxqs deduplicates in the queues only. */
export class TopicDeduplication {
  /** By topic and id, oldest first. */
  private readonly taken = new Map<string, number>();

  /** Whether a topic takes the message; `scopeOfTopic` is its `FifoThroughputScope`. */
  takes(topicArn: string, scopedId: string, scopeOfTopic: string | undefined, nowMs: number): boolean {
    for (const [key, takenAtMs] of this.taken) {
      if (takenAtMs > nowMs - windowMs) break;
      this.taken.delete(key);
    }
    const key = `${topicArn} ${scopeOfTopic === "MessageGroup" ? scopedId : withoutGroup(scopedId)}`;
    if (this.taken.has(key)) return false;
    this.taken.set(key, nowMs);
    return true;
  }
}
