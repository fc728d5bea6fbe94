import type { AwsError } from "./awsError";

/** A message's attributes as a client sends them. */
export type SentAttributes = Record<string, { DataType?: string; StringValue?: string; BinaryValue?: string }>;

/** The most attributes an SQS message carries; SNS takes more. */
export const maxMessageAttributes = 10;

/** Characters that SQS refuses in a body and in a text attribute. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
const invalidCharacter = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** The first character of a text that SQS refuses, as `U+0001`; undefined if SQS takes all of them. */
export function invalidCharacterOf(text: string): string | undefined {
  const codePoint = invalidCharacter.exec(text)?.[0].codePointAt(0);
  return codePoint === undefined ? undefined : `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Why a queue of that `MaximumMessageSize` cannot take a message that SNS has accepted; undefined where it can. */
export function sqsRefusalOf(body: string, attributes: SentAttributes, maximumBytes: number): string | undefined {
  const count = Object.keys(attributes).length;
  if (count > maxMessageAttributes) {
    return `it has ${count} message attributes, where an SQS message carries ${maxMessageAttributes}`;
  }
  const bytes = messageBytes(body, attributes);
  if (bytes > maximumBytes) return `it has ${bytes} bytes, where the queue's MaximumMessageSize is ${maximumBytes}`;
  const invalid = (text: string, where: string) => {
    const character = invalidCharacterOf(text);
    return character && `${where} contains ${character}, a character that SQS refuses`;
  };
  return [
    invalid(body, "its body"),
    ...Object.entries(attributes).map(([name, { StringValue = "" }]) => invalid(StringValue, `its attribute ${name}`)),
  ].find((refusal) => refusal !== undefined);
}

/**
 * Checks the attributes of a message by the rules that SQS and SNS share; `refuse` makes the service's error of a reason.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
 *
 * @throws AwsError
 */
export function checkAttributes(attributes: SentAttributes, refuse: (reason: string) => AwsError): void {
  for (const [name, { DataType: type = "", StringValue, BinaryValue }] of Object.entries(attributes)) {
    if (!/^(?!\.|.*\.\.|.*\.$)(?!(aws|amazon)\.)[A-Za-z0-9_.-]{1,256}$/i.test(name)) {
      throw refuse(
        `The message attribute name '${name}' is invalid. It can contain A-Z, a-z, 0-9, underscore, hyphen and period, ` +
          "1 to 256 in length, must not start or end with a period or have two in succession, nor start with AWS. or Amazon.",
      );
    }
    const [kind = ""] = type.split(".");
    if (!["String", "Number", "Binary"].includes(kind)) {
      throw refuse(
        `The message attribute '${name}' has an invalid message attribute type '${type}', ` +
          "the set of supported type prefixes is Binary, Number, and String.",
      );
    }
    const value = kind === "Binary" ? BinaryValue : StringValue;
    if (!value) {
      throw refuse(
        `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${type}'.`,
      );
    }
    if (kind === "Number" && !isNumber(value)) {
      throw refuse(`Could not cast message attribute '${name}' value '${value}' to number.`);
    }
  }
}

/** The parts that count towards the size limits: the body, and name, type and value of every attribute. */
export function messageBytes(body: string, attributes: SentAttributes): number {
  return Object.entries(attributes).reduce(
    (sum, [name, { DataType = "", StringValue = "", BinaryValue = "" }]) =>
      sum + Buffer.byteLength(name + DataType + StringValue) + Buffer.byteLength(BinaryValue, "base64"),
    Buffer.byteLength(body),
  );
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}
