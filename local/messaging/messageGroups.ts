import { AwsError } from "./awsError";
import { scopedDeduplicationId } from "./deduplication";

/** What a message group's id is made of: 1 to 128 letters, digits and punctuation, which is ASCII without the space. */
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

/** A message as a publisher sends it to a topic. */
export interface PublishEntry {
  message: string;
  messageGroupId?: string;
  /** To a FIFO topic: with the group before it. */
  scopedDeduplicationId?: string;
}

/**
 * The messages of a Publish or a PublishBatch, in the order in which fauxqs announces them; what is sent to a FIFO topic
 * without a group or a deduplication id, fauxqs refuses. In `parameters`, the deduplication ids get their groups before them.
 * A whole batch is refused for one entry; SNS would accept the others.
 * https://docs.aws.amazon.com/sns/latest/api/API_PublishBatchRequestEntry.html
 *
 * @throws AwsError InvalidParameter for a group or a deduplication id that SNS does not take.
 */
export function publishEntries(
  parameters: Record<string, unknown>,
  topic: Record<string, string> = {},
): PublishEntry[] {
  const prefix = "PublishBatchRequestEntries.member.";
  const numbers = Object.keys(parameters).map((key) => (key.startsWith(prefix) ? key.split(".")[2] : undefined));
  const batched = [...new Set(numbers)].filter((number) => number !== undefined).map((number) => `${prefix}${number}.`);
  const isFifo = topic["FifoTopic"] === "true";
  const target = { kind: "topic", isFifo, isContentBased: topic["ContentBasedDeduplication"] === "true" } as const;
  return (parameters["Action"] === "PublishBatch" ? batched : [""]).flatMap((entry) => {
    const body = parameters[`${entry}Message`];
    const key = `${entry}MessageDeduplicationId`;
    const messageGroupId = checkedMessageGroupId(parameters[`${entry}MessageGroupId`], "InvalidParameter");
    const sent = { groupId: messageGroupId, deduplicationId: parameters[key], body };
    const scoped = scopedDeduplicationId(sent, target);
    if (scoped !== undefined) parameters[key] = scoped;
    const isRefused = isFifo && (messageGroupId === undefined || scoped === undefined);
    return isRefused ? [] : [{ message: String(body), messageGroupId, scopedDeduplicationId: scoped }];
  });
}

function checkedMessageGroupId(value: unknown, code: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string" && allowed.test(value)) return value;
  throw new AwsError(
    code,
    `Value ${JSON.stringify(value)} for parameter MessageGroupId is invalid. ` +
      "Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
  );
}
