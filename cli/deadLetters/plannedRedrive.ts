import { randomUUID } from "node:crypto";
import type { SQSRecord } from "aws-lambda";
import { messageGroupOf } from "../../backend/messageGroup";
import { messageOf } from "../../handlers/messages/message";
import { REASONS } from "../../handlers/messages/reasons";
import { DEAD_LETTER_ATTRIBUTES as D, MESSAGE_ATTRIBUTES as A } from "../../protocol";
import { isTheRelays, type DeadLetter, summaryOf } from "./deadLetter";
import type { RetryMessage } from "./deadLetterQueue";

/** What a dead letter is to be sent again as; or, by the relay's own words, why it never could be delivered. */
export type PlannedRedrive =
  | { message: RetryMessage; newMessageId?: string; dropped: readonly string[]; refused?: undefined }
  | { refused: string };

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MAX_ATTRIBUTES = 10;

const OURS: readonly string[] = [...Object.values(A), D.originalMessageId];

/**
 * A dead letter as a message for the retry queue: with its own attributes, and the id of the first message. One that has expired
 * becomes a new message, since with its own time it would die at once.
 */
export function plannedRedrive(deadLetter: DeadLetter, now: Date): PlannedRedrive {
  const { reason } = summaryOf(deadLetter);
  const { key, expiresAtMs = Infinity } = messageOf(recordOf(deadLetter));
  if (key.reason !== undefined) return { refused: key.reason };
  // The gateway may count otherwise than we do.
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
  // The dead letter's own: what was sent and could not be deleted is not sent twice; one that dies again is another dead letter.
  const deduplicationId = deadLetter.id;
  return {
    message: { body: deadLetter.body, attributes: fitting, messageGroupId, deduplicationId },
    newMessageId,
    dropped,
  };
}

/** As Lambda would hand the dead letter to `deliver`. */
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

/** A message carries ten attributes: where there are more, those give way that the relay does not need. */
function fit(attributes: DeadLetter["attributes"]): { fitting: DeadLetter["attributes"]; dropped: string[] } {
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
