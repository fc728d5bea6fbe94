import type { MessageAttributeValue } from "@aws-sdk/client-sqs";

/** A received message of a dead-letter queue. */
export interface DeadLetter {
  /** SQS's message ID of the dead letter itself. */
  id: string;
  receiptHandle: string;
  body: string;
  attributes: Record<string, MessageAttributeValue>;
  messageGroupId?: string;
  /** When it was sent to this queue; if the queue's redrive policy moved it, when it was sent to the retry queue. */
  sentAt: Date;
}

/** A dead letter without its payload. */
export interface DeadLetterSummary {
  id: string;
  /** The publisher's ID, if it set one. */
  messageId?: string;
  /** The retry queue's ID of the original message, as in logs. */
  originalMessageId?: string;
  user?: string;
  context?: string;
  contextId?: string;
  /** `user` or `context`, if it was for all sessions of the user or of the context. */
  scope?: string;
  /** Why the relay dead-lettered it; absent if SNS or the queue's redrive policy did. */
  reason?: string;
  attempts?: number;
  expiresAt?: string;
  sentAt: string;
  bytes: number;
}

export function summaryOf({ id, attributes, sentAt, body }: DeadLetter): DeadLetterSummary {
  const value = (name: string) => attributes[name]?.StringValue;
  const attempts = isTheRelays(attributes) ? value("attempts") : undefined;
  return {
    id,
    messageId: value("messageId"),
    originalMessageId: value("originalMessageId"),
    user: value("user"),
    context: value("context"),
    contextId: value("contextId"),
    scope: value("scope"),
    reason: isTheRelays(attributes) ? value("reason") : undefined,
    attempts: attempts === undefined ? undefined : Number(attempts),
    expiresAt: value("expiresAt"),
    sentAt: sentAt.toISOString(),
    bytes: Buffer.byteLength(body),
  };
}

/** Whether the relay set `reason` and `attempts`: on a dead letter of SNS they would be the backend's own attributes. */
export function isTheRelays(attributes: DeadLetter["attributes"]): boolean {
  return attributes.originalMessageId !== undefined;
}

/**
 * Unwraps a subscription's dead letter that is an envelope of SNS, which has the attributes if they were too many for a message.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
 */
export function opened(deadLetter: DeadLetter): DeadLetter {
  if (Object.keys(deadLetter.attributes).length > 0) return deadLetter;
  const envelope = envelopeOf(deadLetter.body);
  return envelope ? { ...deadLetter, ...envelope } : deadLetter;
}

function envelopeOf(body: string): Pick<DeadLetter, "body" | "attributes"> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { Type, TopicArn, Message, MessageAttributes } = (value ?? {}) as Record<string, unknown>;
  if (Type !== "Notification" || typeof TopicArn !== "string" || typeof Message !== "string") return undefined;
  const attributes = Object.entries(MessageAttributes ?? {});
  // A payload may look like an envelope, and must not end the scan.
  if (!attributes.every((entry): entry is [string, EnvelopeAttribute] => isAttribute(entry[1]))) return undefined;
  return {
    body: Message,
    attributes: Object.fromEntries(attributes.map(([name, { Type, Value }]) => [name, attributeOf(Type, Value)])),
  };
}

interface EnvelopeAttribute {
  Type: string;
  Value: string;
}

function isAttribute(value: unknown): value is EnvelopeAttribute {
  const { Type, Value } = (value ?? {}) as Record<string, unknown>;
  return typeof Type === "string" && typeof Value === "string";
}

function attributeOf(type: string, value: string): MessageAttributeValue {
  return type.startsWith("Binary")
    ? { DataType: type, BinaryValue: Buffer.from(value, "base64") }
    : { DataType: type, StringValue: value };
}
