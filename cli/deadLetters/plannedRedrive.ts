import { randomUUID } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { messageGroupOf } from "../../backend/messageGroup";
import { messageOf } from "../../handlers/messages/message";
import { REASONS } from "../../handlers/messages/reasons";
import { DEAD_LETTER_ATTRIBUTES as D, MESSAGE_ATTRIBUTES as A } from "../../protocol";
import { isTheRelays, type DeadLetter, summaryOf } from "./deadLetter";
import type { RetryMessage } from "./deadLetterQueue";

/** The message to send for a dead letter, or the relay's reason why it can never be delivered. */
export type PlannedRedrive =
  | { message: RetryMessage; newMessageId?: string; dropped: readonly string[]; refused?: undefined }
  | { refused: string };

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MAX_ATTRIBUTES = 10;

const OURS: readonly string[] = [...Object.values(A), D.originalMessageId];

/**
 * Turns a dead letter into a message for the retry queue, with its own attributes and the ID of the original message. An
 * expired one becomes a new message, because with its `expiresAt` it would be dead-lettered again at once.
 */
export function plannedRedrive(deadLetter: DeadLetter, now: Date): PlannedRedrive {
  const { reason } = summaryOf(deadLetter);
  const { key, expiresAtMs = Infinity } = messageOf(recordOf(deadLetter));
  if (key.reason !== undefined) return { refused: key.reason };
  // The gateway rejected the size, which it may count differently.
  if (reason === REASONS.payloadTooLarge) return { refused: reason };

  const hasExpired = reason === REASONS.expired || expiresAtMs <= now.getTime();
  const newMessageId = hasExpired ? randomUUID() : undefined;
  const attributes = {
    [D.originalMessageId]: text(deadLetter.id),
    ...without(deadLetter.attributes, [
      ...(isTheRelays(deadLetter.attributes) ? [D.reason, D.attempts] : []),
      ...(hasExpired ? [A.expiresAt] : []),
    ]),
    ...(newMessageId !== undefined && { [A.messageId]: text(newMessageId) }),
  };
  const messageGroupId = deadLetter.messageGroupId ?? messageGroupOf(key.value);
  const { fitting, dropped } = fit(attributes);
  // The dead letter's own ID: if it was sent and could not be deleted, SQS drops the second send. If the message is
  // dead-lettered again, that dead letter has another ID.
  const deduplicationId = deadLetter.id;
  return {
    message: { body: deadLetter.body, attributes: fitting, messageGroupId, deduplicationId },
    newMessageId,
    dropped,
  };
}

/** The record in which Lambda would pass the dead letter to `deliver`. */
function recordOf({ id, receiptHandle, body, attributes, messageGroupId, sentAt }: DeadLetter): SQSRecord {
  return {
    messageId: id,
    receiptHandle,
    body,
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: String(sentAt.getTime()),
      SenderId: "",
      ApproximateFirstReceiveTimestamp: "",
      MessageGroupId: messageGroupId,
    },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { DataType = "", StringValue }]) => [
        name,
        { dataType: DataType as "String", stringValue: StringValue },
      ]),
    ),
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: "",
    awsRegion: "",
  };
}

/** A message has at most ten attributes: beyond that, attributes that the relay does not need are dropped. */
export function fit(attributes: DeadLetter["attributes"]): { fitting: DeadLetter["attributes"]; dropped: string[] } {
  const entries = Object.entries(attributes);
  const ours = entries.filter(([name]) => OURS.includes(name));
  const others = entries.filter(([name]) => !OURS.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  const room = MAX_ATTRIBUTES - ours.length;
  return {
    fitting: Object.fromEntries([...ours, ...others.slice(0, room)]),
    dropped: others.slice(room).map(([name]) => name),
  };
}

function without(attributes: DeadLetter["attributes"], names: readonly string[]): DeadLetter["attributes"] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

function text(value: string) {
  return { DataType: "String", StringValue: value };
}
