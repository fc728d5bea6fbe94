import type { MessageAttributeValue } from "@aws-sdk/client-sqs";

/** A message of a dead-letter queue, as it was received. */
export interface DeadLetter {
  /** SQS's id of the dead letter itself. */
  id: string;
  receiptHandle: string;
  body: string;
  attributes: Record<string, MessageAttributeValue>;
  messageGroupId?: string;
  /** When it came into the queue; where the queue itself moved it, when it came into the retry queue. */
  sentAt: Date;
}

/** What a dead letter says of itself, without its payload. */
export interface DeadLetterSummary {
  id: string;
  /** The publisher's id, where it gave one. */
  messageId?: string;
  /** The retry queue's id of the first message, as the logs have it. */
  originalMessageId?: string;
  user?: string;
  context?: string;
  contextId?: string;
  /** Why the relay gave it up; a dead letter that SNS or the queue itself put there has none. */
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
    reason: isTheRelays(attributes) ? value("reason") : undefined,
    attempts: attempts === undefined ? undefined : Number(attempts),
    expiresAt: value("expiresAt"),
    sentAt: sentAt.toISOString(),
    bytes: Buffer.byteLength(body),
  };
}

/** Whether `reason` and `attempts` are ours: on what SNS could not hand over they would be the backend's own. */
export function isTheRelays(attributes: DeadLetter["attributes"]): boolean {
  return attributes.originalMessageId !== undefined;
}

/**
 * A subscription's dead letter as SNS's own envelope, where its attributes were too many for a message: then they stand in it.
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
  // What only looks like one is anybody's payload, and must not end the scan.
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
