import { jsonObject } from "../jsonObject";
import { AwsError } from "./awsError";
import { checkBatch, type RefusedEntry, sortEntries } from "./batch";
import { scopedDeduplicationId } from "./deduplication";
import { checkedMessageGroupId } from "./messageGroups";
import { checkAttributes, messageBytes, type SentAttributes } from "./messageRules";

/** A message as a publisher sends it to a topic. */
export interface PublishEntry {
  /** What SQS queues get. */
  message: string;
  /** As published: filter policies see them even where no queue gets them. */
  attributes: SentAttributes;
  messageGroupId?: string;
  /** To a FIFO topic: with the group before it. */
  scopedDeduplicationId?: string;
}

type Parameters = Record<string, string | undefined>;

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const maxBytes = 262_144;

/**
 * Checks a Publish or a PublishBatch, and rewrites its parameters to what fauxqs is to handle: without the entries that
 * are refused, with a structured message's text for SQS in its place, and with groups before the deduplication ids.
 * Returns the messages in the order in which fauxqs announces them.
 *
 * @throws AwsError where SNS refuses the request as a whole.
 */
export function preparePublish(
  parameters: Parameters,
  topic: Record<string, string> = {},
): { entries: PublishEntry[]; refused: RefusedEntry[] } {
  if (parameters["PhoneNumber"] !== undefined)
    throw invalid("PhoneNumber Reason: SMS is not modelled in the local run");
  // fauxqs knows the one name only.
  parameters["TopicArn"] ??= parameters["TargetArn"];
  if (parameters["Action"] === "Publish") return { entries: [prepareEntry(parameters, "", topic)], refused: [] };

  const prefixes = memberPrefixes(parameters, "PublishBatchRequestEntries.member.");
  const idOf = (prefix: string) => parameters[`${prefix}Id`];
  const sizes = prefixes.map((prefix) => {
    const { message, attributes } = sentMessage(parameters, prefix);
    return { id: idOf(prefix), bytes: messageBytes(message, attributes) };
  });
  checkBatch(sizes, maxBytes);
  const { accepted, refused } = sortEntries(prefixes, idOf, (prefix) => prepareEntry(parameters, prefix, topic));
  for (const prefix of prefixes) {
    if (refused.some(({ id }) => id === idOf(prefix))) removeParameters(parameters, prefix);
  }
  return { entries: accepted, refused };
}

function prepareEntry(parameters: Parameters, prefix: string, topic: Record<string, string>): PublishEntry {
  const { message, attributes } = sentMessage(parameters, prefix);
  if (message === "") throw invalid("Empty message");
  checkAttributes(attributes, (reason) => new AwsError("ParameterValueInvalid", reason));
  if (messageBytes(message, attributes) > maxBytes) {
    throw invalid(`Message too long. Message must be shorter than ${maxBytes} bytes, its attributes included.`);
  }
  checkSubject(parameters[`${prefix}Subject`]);
  const text = textForQueues(message, parameters[`${prefix}MessageStructure`]);
  const ids = identify(parameters, prefix, message, topic);
  if (parameters[`${prefix}MessageStructure`] !== undefined) {
    parameters[`${prefix}Message`] = text;
    // https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html: sent only with an unstructured message.
    removeParameters(parameters, `${prefix}MessageAttributes.`);
  }
  return { message: text, attributes, ...ids };
}

/** Group and deduplication id, which a FIFO topic needs; the latter gets the former before it in the parameters. */
function identify(
  parameters: Parameters,
  prefix: string,
  body: string,
  topic: Record<string, string>,
): Pick<PublishEntry, "messageGroupId" | "scopedDeduplicationId"> {
  const isFifo = topic["FifoTopic"] === "true";
  const target = { kind: "topic", isFifo, isContentBased: topic["ContentBasedDeduplication"] === "true" } as const;
  const messageGroupId = checkedMessageGroupId(parameters[`${prefix}MessageGroupId`], "InvalidParameter");
  if (isFifo && messageGroupId === undefined) {
    throw invalid("The MessageGroupId parameter is required for FIFO topics");
  }
  const key = `${prefix}MessageDeduplicationId`;
  const scoped = scopedDeduplicationId({ groupId: messageGroupId, deduplicationId: parameters[key], body }, target);
  if (isFifo && scoped === undefined) {
    throw invalid(
      "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
  }
  if (scoped !== undefined) parameters[key] = scoped;
  return { messageGroupId, scopedDeduplicationId: scoped };
}

/**
 * The text that SQS queues get: of a structured message that for SQS, or else the default one. Values that are no text are
 * ignored. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
function textForQueues(message: string, structure: string | undefined): string {
  if (structure === undefined) return message;
  if (structure !== "json") throw invalid(`MessageStructure Reason: must be json where it is given; got ${structure}`);
  const byProtocol = jsonObject(message);
  if (!byProtocol) throw invalid("Message Structure - JSON message body failed to parse");
  const { sqs, default: byDefault } = byProtocol;
  if (typeof byDefault !== "string") throw invalid("Message Structure - No default entry in JSON message body");
  const text = typeof sqs === "string" ? sqs : byDefault;
  // SNS takes it, and SQS then refuses the empty body of a raw message.
  if (text === "") throw invalid("Message Structure - an empty text for SQS is not modelled in the local run");
  return text;
}

function checkSubject(subject: string | undefined): void {
  // Without line breaks or control characters. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
  if (subject === undefined || /^\P{Cc}{1,100}$/u.test(subject)) return;
  throw invalid(`Subject Reason: 1 to 100 characters, none a control character; got ${JSON.stringify(subject)}`);
}

function sentMessage(parameters: Parameters, prefix: string): { message: string; attributes: SentAttributes } {
  const attributes = memberPrefixes(parameters, `${prefix}MessageAttributes.entry.`).map((entry) => {
    const value = (field: string) => parameters[`${entry}Value.${field}`];
    const [DataType, StringValue, BinaryValue] = [value("DataType"), value("StringValue"), value("BinaryValue")];
    return [parameters[`${entry}Name`] ?? "", { DataType, StringValue, BinaryValue }] as const;
  });
  return { message: parameters[`${prefix}Message`] ?? "", attributes: Object.fromEntries(attributes) };
}

/** `Entries.member.1.`, `Entries.member.2.` and so on, of a list in the query protocol. */
function memberPrefixes(parameters: Parameters, list: string): string[] {
  const numbers = Object.keys(parameters).flatMap((key) =>
    key.startsWith(list) ? [key.slice(list.length).split(".")[0]] : [],
  );
  return [...new Set(numbers)].map((number) => `${list}${number}.`);
}

function removeParameters(parameters: Parameters, prefix: string): void {
  for (const key of Object.keys(parameters)) if (key.startsWith(prefix)) Reflect.deleteProperty(parameters, key);
}

function invalid(reason: string): AwsError {
  return new AwsError("InvalidParameter", `Invalid parameter: ${reason}`);
}
