import { randomUUID } from "node:crypto";
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import { checkPublication } from "../handlers/messages/publication";
import { MAX_PAYLOAD_BYTES } from "../protocol";
import { deduplicationIdOf, messageGroupOf } from "./messageGroup";
import { refuseUnknownKeys, RelayInputError } from "./relayInputError";

/** A message, and the session or the sessions that it is for. */
export type Publication = SessionPublication | ContextPublication | UserPublication;

/** A message for one session. */
export interface SessionPublication extends PublicationContent {
  /** The feature, as the client sets it, such as `chat`. Not empty, without `#`. */
  context: string;
  /** The entity, as the client sets it, such as `7`. Not empty. */
  contextId: string;
  /** Only for several sessions: `ContextPublication` and `UserPublication`. @default one session */
  scope?: undefined;
}

/** A message for all sessions of a user in one context, at most 50. */
export interface ContextPublication extends PublicationContent {
  /** The feature, as the client sets it, such as `chat`. Not empty, without `#`. */
  context: string;
  /** The scope excludes it. @default every contextId of the context */
  contextId?: undefined;
  /** In retry mode, the sessions with a client; in replay mode, those that had one within `historyRetentionSeconds`. */
  scope: "context";
}

/** A message for all sessions of a user, at most 50. */
export interface UserPublication extends PublicationContent {
  /** The scope excludes it. @default every context of the user */
  context?: undefined;
  /** The scope excludes it. @default every contextId of the user's contexts */
  contextId?: undefined;
  /** In retry mode, the sessions with a client; in replay mode, those that had one within `historyRetentionSeconds`. */
  scope: "user";
}

/** The part of a publication that does not depend on its scope. */
export interface PublicationContent {
  /** The user's code, as in the token of the handshake. Not empty. */
  user: string;
  /** The text that the client receives, unchanged: 1 byte to 128 KB of UTF-8. Pass an object through `JSON.stringify`. */
  message: string;
  /**
   * The message's ID in logs and dead letters: 1 to 128 printable ASCII characters. In replay mode, a message to the same
   * session that is published again with the same ID within a minute is stored once. If `ordering` is `strict`, SNS drops it
   * for five minutes. @default a random UUID
   */
  messageId?: string;
  /**
   * In replay mode: of the messages to a session with the same key, the relay stores one within `historyRetentionSeconds`, at
   * the price of one write more. 1 to 128 printable ASCII characters. Retry mode ignores it. @default none
   */
  idempotencyKey?: string;
  /** From this time on, the message is dead-lettered as `expired` instead of delivered. @default it does not expire */
  expiresAt?: Date;
}

export interface PublishInput {
  messageId: string;
  input: PublishCommandInput;
}

/** The allowed values of each input, and the fix for others. */
export const publicationRules = {
  user: [
    "a string of 1 character to 2,043 bytes, only characters that SQS accepts",
    "pass the user's code as a string, as in the user claim of the token",
  ],
  context: [
    'a string of 1 character or more, without "#", at most 1,023 bytes together with contextId, only characters that SQS accepts',
    'pass the context of the client\'s URL, or scope: "user" for all sessions of the user',
  ],
  contextId: [
    "a string of 1 character or more, at most 1,023 bytes together with context, only characters that SQS accepts",
    'pass the contextId of the client\'s URL as a string, or scope: "context" for all sessions of the context',
  ],
  scope: [
    '"user" without context and contextId, "context" with context and without contextId; left out with both',
    "leave out what the scope excludes, or leave out scope for a message to one session",
  ],
  message: [
    `a string of 1 to ${MAX_PAYLOAD_BYTES} bytes of UTF-8 (API Gateway's limit), only characters that SQS accepts`,
    "pass a string, or JSON.stringify the value; split a larger message, or store it and publish its address",
  ],
  messageId: ["1 to 128 printable ASCII characters", "leave it out for a random UUID, or hash your own ID"],
  idempotencyKey: ["1 to 128 printable ASCII characters", "leave it out, or hash your own key"],
  expiresAt: [
    "a Date later than now and before the year 10000",
    "leave it out for a message that does not expire, and do not publish a message that has already expired",
  ],
} satisfies Record<string, readonly [allowed: string, fix: string]>;

/**
 * The SNS request for a publication, after the relay's own checks.
 *
 * @throws RelayInputError
 */
export function publishInput(publication: Publication, topicArn: string, now: Date): PublishInput {
  refuseUnknownKeys("publication", publication, Object.keys(publicationRules));
  const { message, messageId = randomUUID(), ...others } = publication;
  const expiresAt = expiryOf(publication.expiresAt, now);
  const given = { ...others, messageId, expiresAt };
  const { value, reason } = checkPublication({ ...given, message });
  // A reason starts with the name of its input.
  if (reason !== undefined) throw inputError(/^\w+/.exec(reason)?.[0] as keyof typeof publicationRules, reason);
  const MessageGroupId = messageGroupOf(value.key ?? value.scope);
  return {
    messageId,
    input: {
      TopicArn: topicArn,
      Message: message,
      MessageGroupId,
      // A standard topic rejects it.
      ...(topicArn.endsWith(".fifo") && { MessageDeduplicationId: deduplicationIdOf(MessageGroupId, messageId) }),
      MessageAttributes: Object.fromEntries(
        Object.entries(given).flatMap(([name, text]) =>
          text === undefined ? [] : [[name, { DataType: "String", StringValue: text }]],
        ),
      ),
    },
  };
}

function expiryOf(expiresAt: unknown, now: Date): string | undefined {
  if (expiresAt === undefined) return undefined;
  if (!(expiresAt instanceof Date) || Number.isNaN(expiresAt.getTime())) {
    const [allowed] = publicationRules.expiresAt;
    const fix =
      "pass a Date, such as new Date(Date.now() + 60_000), or leave it out for a message that does not expire";
    throw new RelayInputError("expiresAt", "expiresAt is an invalid Date", allowed, fix);
  }
  if (expiresAt <= now) {
    throw inputError("expiresAt", `expiresAt is ${expiresAt.toISOString()}, and now is ${now.toISOString()}`);
  }
  // toISOString writes later years with a sign and six digits, which RFC 3339 does not allow.
  if (expiresAt.getUTCFullYear() > 9999) throw inputError("expiresAt", `expiresAt is ${expiresAt.toISOString()}`);
  return expiresAt.toISOString();
}

function inputError(input: keyof typeof publicationRules, problem: string): RelayInputError {
  const [allowed, fix] = publicationRules[input];
  return new RelayInputError(input, problem, allowed, fix);
}
