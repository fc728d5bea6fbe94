import { MAX_PAYLOAD_BYTES } from "../../protocol";
import { type Checked, type Scope, scopeOf, sessionKey, type SessionKey } from "../sessions/sessionKey";

/** The input of a publish: the body of a message, and its attributes by their names. */
export interface PublicationInput {
  /** The code of the recipient. */
  user: string;
  /** The feature; without `#`. Absent if `scope` is `user`. */
  context?: string;
  /** The entity. Absent if there is a `scope`. */
  contextId?: string;
  /**
   * `user`: all sessions of the user; `context`: all of the user's sessions in the context.
   * @default the session of `context` and `contextId`
   */
  scope?: string;
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

/** The session or the scope that a message goes to. */
export type Address = { key: SessionKey; scope?: undefined } | { key?: undefined; scope: Scope };

/** Where a message goes, and when it expires. */
export type Destination = Address & {
  /** Epoch milliseconds; undefined if it never expires. */
  expiresAtMs?: number;
};

/** The attributes that address a message, by its scope: without one, the session's. */
const ADDRESSES = {
  none: ["user", "context", "contextId"],
  context: ["user", "context"],
  user: ["user"],
} as const;

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
  const { user, context, contextId, scope, message, messageId, expiresAt, idempotencyKey } = publication;
  for (const name of [...requiredOf(scope), "message"] as const) {
    // JavaScript programs have no types.
    if (publication[name] === undefined || publication[name] === null) return { reason: `${name} is missing` };
  }
  const strings = { user, context, contextId, scope, message, messageId, expiresAt, idempotencyKey };
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
    const { index } = NOT_FOR_QUEUES.exec(value ?? "") ?? {};
    if (index !== undefined)
      return { reason: `${name}: the character at ${index} is one that no SQS message may hold` };
  }
  return destination;
}

/** The attributes that a message must have. Those that a scope excludes are `destinationOf`'s to refuse. */
export function requiredOf(scope: string | undefined): readonly ("user" | "context" | "contextId")[] {
  if (scope === undefined) return ADDRESSES.none;
  return isScope(scope) ? ADDRESSES[scope] : ADDRESSES.user;
}

/** The destination of a message by its attributes: the rules that backends and `deliver` share. Values are never trimmed. */
export function destinationOf(attributes: Omit<PublicationInput, "message">): Checked<Destination> {
  const { messageId, expiresAt, idempotencyKey } = attributes;
  const address = addressOf(attributes);
  if (address.reason !== undefined) return address;
  const id = messageId === undefined ? undefined : messageIdOf(messageId);
  if (id?.reason !== undefined) return { reason: id.reason };
  const idempotency = idempotencyKey === undefined ? undefined : idOf("idempotencyKey", idempotencyKey);
  if (idempotency?.reason !== undefined) return { reason: idempotency.reason };
  if (expiresAt === undefined) return address;
  const expiry = expiryOf(expiresAt);
  if (expiry.reason !== undefined) return expiry;
  return { value: { ...address.value, expiresAtMs: expiry.value } };
}

function addressOf(attributes: Omit<PublicationInput, "message">): Checked<Address> {
  const { user, context, contextId, scope } = attributes;
  if (scope === undefined) {
    const key = sessionKey(user, context ?? "", contextId ?? "");
    return key.reason === undefined ? { value: { key: key.value } } : key;
  }
  if (!isScope(scope)) return { reason: "scope is neither user nor context" };
  for (const name of ADDRESSES.none) {
    const isExcluded = !(ADDRESSES[scope] as readonly string[]).includes(name);
    // Otherwise a message for one session would go to many.
    if (isExcluded && attributes[name] !== undefined) return { reason: `scope is ${scope}, which excludes ${name}` };
  }
  const checked = scopeOf(user, context);
  return checked.reason === undefined ? { value: { scope: checked.value } } : checked;
}

function isScope(scope: string): scope is "user" | "context" {
  return scope === "user" || scope === "context";
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
