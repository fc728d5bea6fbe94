import { AwsError } from "./awsError";

/** A message group's id: 1 to 128 letters, digits and punctuation, that is ASCII without the space. */
const allowed = /^[\x21-\x7e]{1,128}$/;

/**
 * The groups of messages to standard queues, which make them fair and which fauxqs forgets. A message is known by the very
 * object of its attributes, which fauxqs passes on as it came.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export class MessageGroups {
  private readonly byAttributes = new WeakMap<object, string>();

  /** Notes the group of a request to send a message, or of an entry of a batch. */
  note(message: Record<string, unknown>): void {
    const groupId = checkedMessageGroupId(message["MessageGroupId"], "InvalidParameterValue");
    if (groupId === undefined) return;
    message["MessageAttributes"] ??= {};
    this.byAttributes.set(message["MessageAttributes"] as object, groupId);
  }

  of({ messageAttributes }: { messageAttributes: object }): string | undefined {
    return this.byAttributes.get(messageAttributes);
  }
}

/** @throws AwsError `code` for a malformed group id. */
export function checkedMessageGroupId(value: unknown, code: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && allowed.test(value)) return value;
  throw new AwsError(
    code,
    `Value ${JSON.stringify(value)} for parameter MessageGroupId is invalid. ` +
      "Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
  );
}
