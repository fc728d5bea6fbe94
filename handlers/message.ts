import type { SQSMessageAttributes, SQSRecord } from "aws-lambda";
import { REASONS } from "./reasons";
import { type Checked, sessionKey, type SessionKey } from "./session";

/** A message of the retry queue. Its `key` is the session it goes to, or why it can never be delivered. */
export interface Message {
  messageId: string;
  receiptHandle: string;
  /** Which attempt at delivery this is, from 1. */
  attempt: number;
  body: string;
  attributes: SQSMessageAttributes;
  key: Checked<SessionKey>;
}

/** What stands in the dead-letter queue; `dropped` are the attributes that there was no room for, or whose names we need. */
export interface DeadLetter {
  body: string;
  attributes: SQSMessageAttributes;
  dropped: readonly string[];
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html */
export const MAX_PAYLOAD_BYTES = 128 * 1024;

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const MAX_ATTRIBUTES = 10;

/** Whom a message is for; kept in every dead letter, so that it can be sent again. */
const OUR_ATTRIBUTES = ["user", "context", "contextId"];

/** A message out of the queue's event. */
export function messageOf(record: SQSRecord): Message {
  return {
    messageId: record.messageId,
    receiptHandle: record.receiptHandle,
    attempt: Number(record.attributes.ApproximateReceiveCount),
    body: record.body,
    attributes: record.messageAttributes,
    key: destinationOf(record),
  };
}

/** The message as a dead letter. One that was redriven and died again keeps the id of the first message. */
export function deadLetterOf(message: Message, reason: string, attempts: number): DeadLetter {
  const { originalMessageId } = message.attributes;
  const added: SQSMessageAttributes = {
    reason: { dataType: "String", stringValue: reason },
    attempts: { dataType: "Number", stringValue: String(attempts) },
    originalMessageId: originalMessageId?.stringValue
      ? originalMessageId
      : { dataType: "String", stringValue: message.messageId },
  };
  const given = Object.entries(message.attributes).filter(([name]) => !(name in added));
  const ours = given.filter(([name]) => OUR_ATTRIBUTES.includes(name));
  // Sorted, so that the same message always loses the same ones.
  const others = given.filter(([name]) => !OUR_ATTRIBUTES.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  // A redriven letter has our own of the last time; on any other message they are the backend's.
  const replaced = originalMessageId ? [] : Object.keys(added).filter((name) => name in message.attributes);
  const room = MAX_ATTRIBUTES - Object.keys(added).length - ours.length;
  return {
    body: message.body,
    attributes: { ...Object.fromEntries([...ours, ...others.slice(0, room)]), ...added },
    dropped: [...others.slice(room).map(([name]) => name), ...replaced],
  };
}

function destinationOf({ body, messageAttributes }: SQSRecord): Checked<SessionKey> {
  const values: string[] = [];
  for (const name of ["user", "context", "contextId"]) {
    const attribute = messageAttributes[name];
    if (!attribute) return { reason: `${REASONS.missingAttribute}: ${name}` };
    // A data type may carry a label of the sender's own, String.email or Number.int; String.Array is SNS's for a list.
    if (!/^(?!String\.Array$)(String|Number)(\.|$)/.test(attribute.dataType) || attribute.stringValue === undefined) {
      return { reason: `${REASONS.unusableAttribute}: ${name} is of type ${attribute.dataType}` };
    }
    values.push(attribute.stringValue);
  }
  const [user, context, contextId] = values as [string, string, string];
  const key = sessionKey(user, context, contextId);
  if (key.reason !== undefined) return { reason: `${REASONS.unusableAttribute}: ${key.reason}` };
  return Buffer.byteLength(body) > MAX_PAYLOAD_BYTES ? { reason: REASONS.payloadTooLarge } : key;
}
