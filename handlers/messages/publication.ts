import { MAX_PAYLOAD_BYTES } from "../../protocol";
import { type Checked, sessionKey, type SessionKey } from "../sessions/sessionKey";

/** The input of a publish: the body of a message, and its attributes by their names. */
export interface PublicationInput {
  /** The code of the recipient. */
  user: string;
  /** The feature; without `#`. */
  context: string;
  /** The entity. */
  contextId: string;
  /** The client gets it unchanged; 128 KB at most. */
  message: string;
  /**
   * The backend's own id for it, by which logs and dead letters can be searched, and in replay mode copies are recognized: 1
   * to 128 characters of printable ASCII.
   * @default the retry queue's id is logged
   */
  messageId?: string;
  /**
   * RFC 3339 date and time, such as 2026-11-25T12:00:00Z, after which the message is dead-lettered as `expired` instead of
   * delivered.
   * @default it is delivered whenever an attempt succeeds
   */
  expiresAt?: string;
  /**
   * In replay mode, only one of a session's messages with the same key is stored within the retention: 1 to 128 characters of
   * printable ASCII.
   * @default copies are recognized by their id alone
   */
  idempotencyKey?: string;
}

/** The session a message goes to, and when the message expires. */
export interface Destination {
  key: SessionKey;
  /** Epoch milliseconds; undefined if it never expires. */
  expiresAtMs?: number;
}

const MAX_ID_LENGTH = 128;

/**
 * Characters that SQS refuses in a body or an attribute, although SNS accepts them.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html
 */
const NOT_FOR_QUEUES = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

const RFC_3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/**
 * Checks a publication by the rules of the relay and of the queue on the way to it.
 *
 * @returns its destination, or a reason why it could never be delivered. The reason names the input and quotes no value.
 */
export function checkPublication(publication: PublicationInput): Checked<Destination> {
  const { user, context, contextId, message, messageId, expiresAt, idempotencyKey } = publication;
  for (const [name, value] of Object.entries({ user, context, contextId, message })) {
    // JavaScript programs have no types.
    if (value === undefined || value === null) return { reason: `${name} is missing` };
  }
  const strings = { user, context, contextId, message, messageId, expiresAt, idempotencyKey };
  for (const [name, value] of Object.entries(strings)) {
    if (value === undefined) continue;
    if (typeof value !== "string") return { reason: `${name} is of type ${typeof value}, a string is expected` };
  }
  const destination = destinationOf(publication);
  if (destination.reason !== undefined) return destination;
  if (message === "") return { reason: "message is empty" };
  if (isTooLarge(message)) {
    const bytes = Buffer.byteLength(message);
    return { reason: `message: ${bytes} bytes in UTF-8, at most ${MAX_PAYLOAD_BYTES} are allowed` };
  }
  for (const [name, value] of Object.entries({ user, context, contextId, message })) {
    const { index } = NOT_FOR_QUEUES.exec(value) ?? {};
    if (index !== undefined)
      return { reason: `${name}: the character at ${index} is one that no SQS message may hold` };
  }
  return destination;
}

/** The destination of a message by its attributes: the rules that backends and `deliver` share. Values are never trimmed. */
export function destinationOf(attributes: Omit<PublicationInput, "message">): Checked<Destination> {
  const { user, context, contextId, messageId, expiresAt, idempotencyKey } = attributes;
  const key = sessionKey(user, context, contextId);
  if (key.reason !== undefined) return key;
  const id = messageId === undefined ? undefined : messageIdOf(messageId);
  if (id?.reason !== undefined) return { reason: id.reason };
  const idempotency = idempotencyKey === undefined ? undefined : idOf("idempotencyKey", idempotencyKey);
  if (idempotency?.reason !== undefined) return { reason: idempotency.reason };
  if (expiresAt === undefined) return { value: { key: key.value } };
  const expiry = expiryOf(expiresAt);
  if (expiry.reason !== undefined) return expiry;
  return { value: { key: key.value, expiresAtMs: expiry.value } };
}

/** Whether the gateway would refuse the body. */
export function isTooLarge(message: string): boolean {
  return Buffer.byteLength(message) > MAX_PAYLOAD_BYTES;
}

/** A publisher's id, if logs can be searched for it. */
export function messageIdOf(given: string): Checked<string> {
  return idOf("messageId", given);
}

function idOf(name: string, given: string): Checked<string> {
  if (given === "") return { reason: `${name} is empty` };
  if (given.length > MAX_ID_LENGTH) {
    return { reason: `${name}: ${given.length} characters, at most ${MAX_ID_LENGTH} are allowed` };
  }
  return /^[ -~]+$/.test(given) ? { value: given } : { reason: `${name}: not printable ASCII` };
}

/** Epoch milliseconds of an RFC 3339 date and time. */
function expiryOf(given: string): Checked<number> {
  const [matched, year, month, day] = RFC_3339.exec(given) ?? [];
  // `Date` turns February 30 into March 1.
  const daysOfMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (!matched || Number(day) < 1 || Number(day) > daysOfMonth) {
    return { reason: "expiresAt is no RFC 3339 date and time, such as 2026-11-25T12:00:00Z" };
  }
  return { value: Date.parse(given) };
}
