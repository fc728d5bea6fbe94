import type { SQSMessageAttribute, SQSMessageAttributes, SQSRecord } from "aws-lambda";
import { MESSAGE_ATTRIBUTES } from "../../protocol";
import type { Checked, Scope, SessionKey } from "../sessions/sessionKey";
import { type Destination, destinationOf, isTooLarge, messageIdOf, requiredOf } from "./publication";
import { REASONS } from "./reasons";

export interface MessageIds {
  /** The publisher's id of the message, else the queue's: logs contain this one. */
  messageId: string;
  /** The queue's own. */
  sqsMessageId: string;
}

/** A message of the retry queue. */
export type QueuedMessage = Message | ScopedMessage;

/** A message for all sessions of a scope. */
export interface ScopedMessage extends QueueFields {
  scope: Scope;
  key?: undefined;
}

/** A message for one session. */
export interface Message extends QueueFields {
  /** The session it goes to, or the reason why it can never be delivered. */
  key: Checked<SessionKey>;
  /** Of a message for all sessions of a scope, this is the one for the session `key`. */
  scope?: Scope;
}

interface QueueFields extends MessageIds {
  receiptHandle: string;
  /** Which attempt at delivery this is, from 1. */
  attempt: number;
  /** When the queue accepted it, in epoch milliseconds. */
  sentAtMs: number;
  /** When it expires, in epoch milliseconds; undefined if it never does. */
  expiresAtMs: number | undefined;
  /** Whether `messageId` is the publisher's, and not the queue's. */
  hasOwnId: boolean;
  /** The queue's id of the first one, if it was redriven from the dead-letter queue. */
  originalMessageId: string | undefined;
  /** The publisher's idempotency key, if it set one. */
  idempotencyKey: string | undefined;
  /** Its message group, if the publisher set one: keeps many messages of one session from delaying those of others. */
  messageGroupId: string | undefined;
  /** Whether its queue is FIFO, so that its group is ordered. */
  isInOrder: boolean;
  body: string;
  attributes: SQSMessageAttributes;
}

/** A message for the dead-letter queue; `dropped` are attributes that did not fit or whose names the relay uses itself. */
export interface DeadLetter {
  body: string;
  attributes: SQSMessageAttributes;
  messageGroupId: string | undefined;
  /** The queue's id of the original message: a FIFO queue drops a second dead letter of the same message. */
  sqsMessageId: string;
  dropped: readonly string[];
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MAX_ATTRIBUTES = 10;

/** The attributes that address, identify and expire a message. Every dead letter keeps them, so that it can be redriven. */
const OUR_ATTRIBUTES: readonly string[] = Object.values(MESSAGE_ATTRIBUTES);

/** The message of a queue's record. */
export function messageOf(record: SQSRecord): QueuedMessage {
  const { messageId: sqsMessageId, receiptHandle, body, attributes, messageAttributes } = record;
  const destination = destinationOfRecord(record);
  const ownId = messageIdOf(messageAttributes.messageId?.stringValue ?? "").value;
  const fields: QueueFields = {
    messageId: ownId ?? sqsMessageId,
    hasOwnId: ownId !== undefined,
    originalMessageId: originalMessageIdOf(messageAttributes),
    idempotencyKey: messageAttributes.idempotencyKey?.stringValue,
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
  };
  if (destination.reason !== undefined) return { ...fields, key: { reason: destination.reason } };
  const { key, scope } = destination.value;
  return scope ? { ...fields, scope } : { ...fields, key: { value: key } };
}

/** The queue's ids are UUIDs. A backend may use an attribute of that name for something else. */
function originalMessageIdOf({ originalMessageId }: SQSMessageAttributes): string | undefined {
  const id = originalMessageId?.stringValue ?? "";
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id : undefined;
}

/** The ids of a message in log lines. */
export function idsOf({ messageId, sqsMessageId }: MessageIds): MessageIds {
  return { messageId, sqsMessageId };
}

/** Whether the message has expired. */
export function hasExpired({ expiresAtMs }: QueuedMessage, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/** How long ago the queue accepted the message, by this clock, which may differ from the queue's. */
export function ageMs({ sentAtMs }: QueuedMessage, nowMs: number): number {
  return Math.max(0, nowMs - sentAtMs);
}

/** The message as a dead letter. A message that was redriven and failed again keeps the id of the first one. */
export function deadLetterOf(
  message: Pick<Message, "sqsMessageId" | "body" | "attributes" | "messageGroupId">,
  reason: string,
  attempts: number,
): DeadLetter {
  const original = message.attributes.originalMessageId;
  // A backend may use an attribute of that name: nothing longer than an id is logged.
  const isRedriven = messageIdOf(original?.stringValue ?? "").reason === undefined;
  const added: SQSMessageAttributes = {
    reason: { dataType: "String", stringValue: reason },
    attempts: { dataType: "Number", stringValue: String(attempts) },
    originalMessageId: original && isRedriven ? original : { dataType: "String", stringValue: message.sqsMessageId },
  };
  // Not `in`: an attribute may be named constructor.
  const given = Object.entries(message.attributes).filter(([name]) => !Object.hasOwn(added, name));
  const relayAttributes = given.filter(([name]) => OUR_ATTRIBUTES.includes(name));
  // Sorted, so that the same message always drops the same attributes.
  const others = given.filter(([name]) => !OUR_ATTRIBUTES.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  // On a redriven dead letter these are the relay's own of the last time; on any other message they are the backend's.
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
  const isMissing = (name: string) => !messageAttributes[name];
  const missing = requiredOf(messageAttributes.scope && (messageAttributes.scope.stringValue ?? "")).find(isMissing);
  if (missing) return { reason: `${REASONS.missingAttribute}: ${missing}` };
  for (const name of ["user", "context", "contextId"] as const) {
    const attribute = messageAttributes[name];
    if (!attribute) continue;
    if (!isOfType(attribute, "String", "Number")) return unusable(`${name} is of type ${attribute.dataType}`);
    values[name] = attribute.stringValue;
  }
  for (const name of ["scope", "messageId", "expiresAt", "idempotencyKey"] as const) {
    const attribute = messageAttributes[name];
    if (!attribute) continue;
    if (!isOfType(attribute, "String")) return unusable(`${name} is of type ${attribute.dataType}`);
    values[name] = attribute.stringValue;
  }
  const { user = "", ...others } = values;
  const destination = destinationOf({ user, ...others });
  if (destination.reason !== undefined) return unusable(destination.reason);
  return isTooLarge(body) ? { reason: REASONS.payloadTooLarge } : destination;
}

/** A data type may have a custom label, such as String.email or Number.int. SNS uses String.Array for a list. */
function isOfType({ dataType, stringValue }: SQSMessageAttribute, ...types: ("String" | "Number")[]): boolean {
  const [type] = dataType.split(".");
  return types.some((each) => each === type) && dataType !== "String.Array" && stringValue !== undefined;
}

function unusable(detail: string): { reason: string } {
  return { reason: `${REASONS.unusableAttribute}: ${detail}` };
}
