import { randomUUID } from "node:crypto";
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import { checkPublication } from "../handlers/messages/publication";
import { MAX_PAYLOAD_BYTES } from "../protocol";
import { deduplicationIdOf, messageGroupOf } from "./messageGroup";
import { refuseUnknownKeys, RelayInputError } from "./relayInputError";

/** A message, and whom it is for. */
export interface Publication {
  /** The user's code, as the handshake's token has it. Not empty. */
  user: string;
  /** The feature, as the client gives it: `chat`. Not empty, without `#`. */
  context: string;
  /** The entity, as the client gives it: `7`. Not empty. */
  contextId: string;
  /** What the client gets, as it is: 1 byte to 128 KB of UTF-8. An object goes through `JSON.stringify` first. */
  message: string;
  /**
   * What every log line and dead letter calls the message: 1 to 128 printable ASCII characters. Where `ordering` is `strict`,
   * SNS drops a message to the same session with the same id within five minutes. @default a random UUID
   */
  messageId?: string;
  /** From then on the message is dead-lettered as `expired` instead of being delivered. @default it never expires */
  expiresAt?: Date;
}

export interface PublishInput {
  messageId: string;
  input: PublishCommandInput;
}

/** What an input may be, and what to do about one that is not. */
const rules = {
  user: [
    "a text of 1 character to 2,043 bytes, of what an SQS message may hold",
    "pass the user's code as a string, as the token's user claim has it",
  ],
  context: [
    'a text of at least 1 character, without "#", at most 1,023 bytes with contextId, of what an SQS message may hold',
    "pass what the client gives as context in its URL",
  ],
  contextId: [
    "a text of at least 1 character, at most 1,023 bytes with context, of what an SQS message may hold",
    "pass what the client gives as contextId in its URL, as a string",
  ],
  message: [
    `a text of 1 to ${MAX_PAYLOAD_BYTES} bytes of UTF-8 (API Gateway's limit of a message), of what an SQS message may hold`,
    "JSON.stringify what is no text, which escapes control characters too; split what is too large, or store it and publish where it is",
  ],
  messageId: ["1 to 128 printable ASCII characters", "leave it out for a random UUID, or hash your own id"],
  expiresAt: [
    "a Date later than now and before the year 10000",
    "leave it out for a message that does not expire, and do not publish one that nobody may get any more",
  ],
} satisfies Record<string, readonly [allowed: string, fix: string]>;

/**
 * What SNS is asked for a publication, after the checks that the relay itself will make.
 *
 * @throws RelayInputError
 */
export function publishInput(publication: Publication, topicArn: string, now: Date): PublishInput {
  refuseUnknownKeys("publication", publication, Object.keys(rules));
  const { user, context, contextId, message, messageId = randomUUID() } = publication;
  const expiresAt = expiryOf(publication.expiresAt, now);
  const { value, reason } = checkPublication({ user, context, contextId, message, messageId, expiresAt });
  // A reason begins with the name of its input.
  if (reason !== undefined) throw inputError(/^\w+/.exec(reason)?.[0] as keyof typeof rules, reason);
  const attributes = { user, context, contextId, messageId, ...(expiresAt !== undefined && { expiresAt }) };
  const MessageGroupId = messageGroupOf(value.key);
  return {
    messageId,
    input: {
      TopicArn: topicArn,
      Message: message,
      MessageGroupId,
      // A standard topic refuses one.
      ...(topicArn.endsWith(".fifo") && { MessageDeduplicationId: deduplicationIdOf(MessageGroupId, messageId) }),
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, text]) => [name, { DataType: "String", StringValue: text }]),
      ),
    },
  };
}

function expiryOf(expiresAt: unknown, now: Date): string | undefined {
  if (expiresAt === undefined) return undefined;
  if (!(expiresAt instanceof Date) || Number.isNaN(expiresAt.getTime())) {
    const [allowed] = rules.expiresAt;
    const fix =
      "pass a Date, such as new Date(Date.now() + 60_000), or leave it out for a message that does not expire";
    throw new RelayInputError("expiresAt", "expiresAt is no valid Date", allowed, fix);
  }
  if (expiresAt <= now) {
    throw inputError("expiresAt", `expiresAt is ${expiresAt.toISOString()}, and now is ${now.toISOString()}`);
  }
  // Later years have six digits and a sign, which RFC 3339 does not know.
  if (expiresAt.getUTCFullYear() > 9999) throw inputError("expiresAt", `expiresAt is ${expiresAt.toISOString()}`);
  return expiresAt.toISOString();
}

function inputError(input: keyof typeof rules, problem: string): RelayInputError {
  const [allowed, fix] = rules[input];
  return new RelayInputError(input, problem, allowed, fix);
}
