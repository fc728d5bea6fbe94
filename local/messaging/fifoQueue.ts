import { randomUUID } from "node:crypto";
import { withoutGroup } from "./deduplication";
import type { SqsMessage, SqsQueue } from "./fauxqs";

type Dequeue = SqsQueue["dequeue"];

/**
 * Makes a FIFO queue of fauxqs give messages as SQS does: as many as possible of a group at once, and none while any of the
 * group is in flight; back in their order, in whatever order they become visible again; and deduplicated within the group
 * where the queue says so. fauxqs gives one message of a group at a time, and has no deduplication scope.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export function keepGroupsInOrder(queue: SqsQueue): void {
  queue.dequeue = (...options) => dequeue(queue, ...options);

  const processTimers = queue.processTimers.bind(queue);
  queue.processTimers = () => sorting(queue, processTimers);
  const changeVisibility = queue.changeVisibility.bind(queue);
  queue.changeVisibility = (...change) => sorting(queue, () => changeVisibility(...change));

  const scoped = (id: string) => (queue.attributes["DeduplicationScope"] === "messageGroup" ? id : withoutGroup(id));
  const checkDeduplication = queue.checkDeduplication.bind(queue);
  queue.checkDeduplication = (id) => checkDeduplication(scoped(id));
  const recordDeduplication = queue.recordDeduplication.bind(queue);
  queue.recordDeduplication = (id, ...message) => recordDeduplication(scoped(id), ...message);
}

function dequeue(
  queue: SqsQueue,
  maxCount: number,
  visibilityTimeoutSeconds = Number(queue.attributes["VisibilityTimeout"]),
  deadLetterQueueOf?: Parameters<Dequeue>[2],
): ReturnType<Dequeue> {
  queue.processTimers();
  const received: ReturnType<Dequeue> = [];
  for (const [groupId, messages] of queue.fifoMessages) {
    if (queue.fifoLockedGroups.has(groupId)) continue;
    while (received.length < Math.min(maxCount, 10)) {
      const message = messages.shift();
      if (!message) break;
      message.approximateReceiveCount++;
      message.approximateFirstReceiveTimestamp ??= Date.now();
      const deadLetterQueue = deadLetterQueueFor(queue, message, deadLetterQueueOf);
      if (deadLetterQueue) deadLetterQueue.enqueue({ ...message, sequenceNumber: undefined });
      else received.push(taken(queue, message, visibilityTimeoutSeconds));
    }
    if (messages.length === 0) queue.fifoMessages.delete(groupId);
  }
  return received;
}

function deadLetterQueueFor(
  { attributes }: SqsQueue,
  { approximateReceiveCount }: SqsMessage,
  deadLetterQueueOf: Parameters<Dequeue>[2],
): SqsQueue | undefined {
  const redrivePolicy = attributes["RedrivePolicy"];
  if (!redrivePolicy) return undefined;
  const policy = JSON.parse(redrivePolicy) as { deadLetterTargetArn: string; maxReceiveCount: number };
  if (approximateReceiveCount <= policy.maxReceiveCount) return undefined;
  return deadLetterQueueOf?.(policy.deadLetterTargetArn);
}

/** A message that is in flight from now on, and locks its group. */
function taken(queue: SqsQueue, message: SqsMessage, visibilityTimeoutSeconds: number): ReturnType<Dequeue>[number] {
  const receiptHandle = randomUUID();
  const visibilityDeadline = Date.now() + visibilityTimeoutSeconds * 1000;
  queue.inflightMessages.set(receiptHandle, { message, receiptHandle, visibilityDeadline });
  const groupId = message.messageGroupId ?? "";
  queue.fifoLockedGroups.set(groupId, (queue.fifoLockedGroups.get(groupId) ?? 0) + 1);
  const { messageId, md5OfBody, body, messageAttributes, md5OfMessageAttributes } = message;
  return {
    MessageId: messageId,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5OfBody,
    Body: body,
    ...(md5OfMessageAttributes && { MD5OfMessageAttributes: md5OfMessageAttributes }),
    ...(Object.keys(messageAttributes).length > 0 && { MessageAttributes: messageAttributes }),
  };
}

/** fauxqs puts a message that is visible again before those that were earlier. */
function sorting(queue: SqsQueue, showAgain: () => void): void {
  const inFlight = queue.inflightMessages.size;
  showAgain();
  if (queue.inflightMessages.size === inFlight) return;
  for (const messages of queue.fifoMessages.values()) {
    messages.sort((a, b) => ((a.sequenceNumber ?? "") < (b.sequenceNumber ?? "") ? -1 : 1));
  }
}
