import type { SQSMessageAttribute, SQSMessageAttributes, SQSRecord } from "aws-lambda";
import { MESSAGE_ATTRIBUTES } from "../../protocol";
import { type Destination, destinationOf, isTooLarge, messageIdOf } from "./publication";
import { REASONS } from "./reasons";
import type { Checked, SessionKey } from "../sessions/sessionKey";

export interface MessageIds {
  /** The publisher's id for a message, else the queue's: under this one it is found in logs. */
  messageId: string;
  /** The queue's own. */
  sqsMessageId: string;
}

/** A message of the retry queue. Its `key` is the session it goes to, or why it can never be delivered. */
export interface Message extends MessageIds {
  receiptHandle: string;
  /** Which attempt at delivery this is, from 1. */
  attempt: number;
  /** When the queue took it, in epoch milliseconds. */
  sentAtMs: number;
  /** From when on it is not delivered any more, in epoch milliseconds; undefined where it never expires. */
  expiresAtMs: number | undefined;
  /** The group that keeps one session's many messages from holding up the others', where the publisher gave one. */
  messageGroupId: string | undefined;
  /** Whether its queue is FIFO: its group has an order. */
  isInOrder: boolean;
  body: string;
  attributes: SQSMessageAttributes;
  key: Checked<SessionKey>;
}

/** What stands in the dead-letter queue; `dropped` are the attributes that there was no room for, or whose names we need. */
export interface DeadLetter {
  body: string;
  attributes: SQSMessageAttributes;
  messageGroupId: string | undefined;
  /** The queue's id of the message that died: a second dead letter of the same is no news to a FIFO queue. */
  sqsMessageId: string;
  dropped: readonly string[];
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MAX_ATTRIBUTES = 10;

/** Whom a message is for, which one it is, and until when; kept in every dead letter, so that it can be sent again. */
const OUR_ATTRIBUTES: readonly string[] = Object.values(MESSAGE_ATTRIBUTES);

/** A message out of the queue's event. */
export function messageOf(record: SQSRecord): Message {
  const { messageId: sqsMessageId, receiptHandle, body, attributes, messageAttributes } = record;
  const destination = destinationOfRecord(record);
  return {
    messageId: messageIdOf(messageAttributes.messageId?.stringValue ?? "").value ?? sqsMessageId,
    sqsMessageId,
    receiptHandle,
    attempt: Number(attributes.ApproximateReceiveCount),
    sentAtMs: Number(attributes.SentTimestamp),
    expiresAtMs: destination.value?.expiresAtMs,
    messageGroupId: attributes.MessageGroupId,
    // Only a FIFO queue gives one. https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    isInOrder: attributes.SequenceNumber !== undefined,
    body,
    attributes: messageAttributes,
    key: destination.reason === undefined ? { value: destination.value.key } : { reason: destination.reason },
  };
}

/** How a message is named in every log line that concerns it. */
export function idsOf({ messageId, sqsMessageId }: MessageIds): MessageIds {
  return { messageId, sqsMessageId };
}

/** Whether it is too late for the message. */
export function hasExpired({ expiresAtMs }: Message, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/** How long ago the queue took the message; the queue's clock is not this one. */
export function ageMs({ sentAtMs }: Message, nowMs: number): number {
  return Math.max(0, nowMs - sentAtMs);
}

/** The message as a dead letter. One that was redriven and died again keeps the id of the first message. */
export function deadLetterOf(
  message: Pick<Message, "sqsMessageId" | "body" | "attributes" | "messageGroupId">,
  reason: string,
  attempts: number,
): DeadLetter {
  const original = message.attributes.originalMessageId;
  // Of a backend's own attribute of that name, nothing longer than an id gets into the log.
  const isRedriven = messageIdOf(original?.stringValue ?? "").reason === undefined;
  const added: SQSMessageAttributes = {
    reason: { dataType: "String", stringValue: reason },
    attempts: { dataType: "Number", stringValue: String(attempts) },
    originalMessageId: original && isRedriven ? original : { dataType: "String", stringValue: message.sqsMessageId },
  };
  // Not `in`: an attribute may be named constructor.
  const given = Object.entries(message.attributes).filter(([name]) => !Object.hasOwn(added, name));
  const relayAttributes = given.filter(([name]) => OUR_ATTRIBUTES.includes(name));
  // Sorted, so that the same message always loses the same ones.
  const others = given.filter(([name]) => !OUR_ATTRIBUTES.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  // A redriven dead letter has our own of the last time; on any other message they are the backend's.
  const replaced = isRedriven ? [] : Object.keys(added).filter((name) => Object.hasOwn(message.attributes, name));
  const room = MAX_ATTRIBUTES - Object.keys(added).length - relayAttributes.length;
  return {
    body: message.body,
    attributes: { ...Object.fromEntries([...relayAttributes, ...others.slice(0, room)]), ...added },
    messageGroupId: message.messageGroupId,
    sqsMessageId: message.sqsMessageId,
    dropped: [...others.slice(room).map(([name]) => name), ...replaced],
  };
}

function destinationOfRecord({ body, messageAttributes }: SQSRecord): Checked<Destination> {
  const values: Partial<Record<string, string>> = {};
  for (const name of ["user", "context", "contextId"] as const) {
    const attribute = messageAttributes[name];
    if (!attribute) return { reason: `${REASONS.missingAttribute}: ${name}` };
    if (!isOfType(attribute, "String", "Number")) return unusable(`${name} is of type ${attribute.dataType}`);
    values[name] = attribute.stringValue;
  }
  for (const name of ["messageId", "expiresAt"] as const) {
    const attribute = messageAttributes[name];
    if (!attribute) continue;
    if (!isOfType(attribute, "String")) return unusable(`${name} is of type ${attribute.dataType}`);
    values[name] = attribute.stringValue;
  }
  const { user = "", context = "", contextId = "", messageId, expiresAt } = values;
  const destination = destinationOf({ user, context, contextId, messageId, expiresAt });
  if (destination.reason !== undefined) return unusable(destination.reason);
  return isTooLarge(body) ? { reason: REASONS.payloadTooLarge } : destination;
}

/** A data type may carry a label of the sender's own, String.email or Number.int; String.Array is SNS's for a list. */
function isOfType({ dataType, stringValue }: SQSMessageAttribute, ...types: ("String" | "Number")[]): boolean {
  const [type] = dataType.split(".");
  return types.some((each) => each === type) && dataType !== "String.Array" && stringValue !== undefined;
}

function unusable(detail: string): { reason: string } {
  return { reason: `${REASONS.unusableAttribute}: ${detail}` };
}
