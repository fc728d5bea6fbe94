import { arn } from "../account";
import type { Trace } from "../trace/trace";
import { AwsError } from "./awsError";
import { checkBatch, type RefusedEntry, sortEntries } from "./batch";
import type { Cooldown } from "./cooldown";
import { scopedDeduplicationId } from "./deduplication";
import type { SqsQueue } from "./fauxqs";
import type { MessageGroups } from "./messageGroups";
import {
  checkAttributes,
  invalidCharacterOf,
  maxMessageAttributes,
  messageBytes,
  type SentAttributes,
} from "./messageRules";
import { checkQueueName } from "./names";
import { checkQueueAttributes } from "./queueAttributes";
import type { ReceiptHandles } from "./receiptHandles";

/** The state that requests of SQS clients are checked against. */
export interface SqsRequestContext {
  queueByUrl(url: string): SqsQueue | undefined;
  queueByArn(arn: string): SqsQueue | undefined;
  groups: MessageGroups;
  receiptHandles: ReceiptHandles;
  /** Queues that were purged, and queues that were deleted, within the last 60 seconds. */
  purged: Cooldown;
  deleted: Cooldown;
  timeScale: number;
  trace: Trace;
}

type Body = Record<string, unknown>;
/** Checks a request, or an entry of a batch, and changes it in place to what fauxqs is to handle. */
type Prepare = (request: Body, queue: SqsQueue, context: SqsRequestContext) => void;

/** Action -> the checks of its request, and of each entry of its batch, if it has one. */
const actions: Record<string, { prepare: Prepare; batch?: string; batchBytes?: (entry: Body) => number }> = {
  SendMessage: { prepare: prepareMessage, batch: "SendMessageBatch", batchBytes: bytesOf },
  ReceiveMessage: { prepare: prepareReceive },
  DeleteMessage: { prepare: prepareDelete, batch: "DeleteMessageBatch" },
  ChangeMessageVisibility: { prepare: prepareChange, batch: "ChangeMessageVisibilityBatch" },
  SetQueueAttributes: { prepare: prepareAttributes },
  // fauxqs moves messages whose time has come only when it is asked for messages; the counts are to be current.
  GetQueueAttributes: { prepare: (_, queue) => queue.processTimers() },
  PurgeQueue: { prepare: preparePurge },
  DeleteQueue: { prepare: (_, queue, { deleted }) => deleted.start(queue.arn) },
};

/** The most that a batch of messages may be together. */
const maxBatchBytes = 1_048_576;

/**
 * Checks a request to SQS, records it, and compresses its times in place, before fauxqs sees it. The queue keeps its
 * own times as they were set, for GetQueueAttributes to show them: each request carries them compressed. Returns the
 * entries of a batch that are refused; the others are left in the request.
 *
 * @throws AwsError where SQS refuses the request as a whole and fauxqs does not.
 */
export function prepareSqsRequest(action: string, body: Body, context: SqsRequestContext): RefusedEntry[] {
  if (action === "CreateQueue") prepareCreate(body, context);
  const queue = context.queueByUrl(String(body["QueueUrl"]));
  // fauxqs answers that it does not exist.
  if (!queue) return [];
  const single = actions[action];
  single?.prepare(body, queue, context);
  const batched = Object.values(actions).find(({ batch }) => batch === action);
  return batched ? prepareBatch(body, queue, context, batched) : [];
}

function prepareBatch(
  body: Body,
  queue: SqsQueue,
  context: SqsRequestContext,
  { prepare, batchBytes = () => 0 }: { prepare: Prepare; batchBytes?: (entry: Body) => number },
): RefusedEntry[] {
  const entries = (body["Entries"] ?? []) as Body[];
  checkBatch(
    entries.map((entry) => ({ id: entry["Id"], bytes: batchBytes(entry) })),
    maxBatchBytes,
  );
  const { accepted, refused } = sortEntries(
    entries,
    ({ Id }) => Id,
    (entry) => {
      prepare(entry, queue, context);
      return entry;
    },
  );
  body["Entries"] = accepted;
  return refused;
}

function prepareCreate(body: Body, context: SqsRequestContext): void {
  const name = String(body["QueueName"]);
  const attributes = (body["Attributes"] ?? {}) as Record<string, string>;
  checkQueueName(name, attributes["FifoQueue"] === "true");
  checkQueueAttributes(name, attributes, context.queueByArn);
  if (context.deleted.isRunning(arn("sqs", name))) {
    throw new AwsError(
      "QueueDeletedRecently",
      `You must wait 60 seconds after deleting a queue before you can create another with the same name: ${name}.`,
    );
  }
}

function prepareAttributes(body: Body, { name }: SqsQueue, { queueByArn }: SqsRequestContext): void {
  checkQueueAttributes(name, (body["Attributes"] ?? {}) as Record<string, string>, queueByArn);
}

function preparePurge(_: Body, { name, arn: queueArn }: SqsQueue, { purged }: SqsRequestContext): void {
  if (purged.isRunning(queueArn)) {
    throw new AwsError("PurgeQueueInProgress", `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`);
  }
  purged.start(queueArn);
}

function prepareReceive(body: Body, queue: SqsQueue, { timeScale }: SqsRequestContext): void {
  integer(body, "MaxNumberOfMessages", 1, 10);
  integer(body, "WaitTimeSeconds", 0, 20);
  const seconds = integer(body, "VisibilityTimeout", 0, 43_200) ?? Number(queue.attributes["VisibilityTimeout"]);
  body["VisibilityTimeout"] = seconds / timeScale;
}

function prepareDelete(request: Body, queue: SqsQueue, { receiptHandles }: SqsRequestContext): void {
  receiptHandles.checkDelete(queue, required(request, "ReceiptHandle"));
}

function prepareChange(change: Body, queue: SqsQueue, context: SqsRequestContext): void {
  required(change, "VisibilityTimeout");
  const seconds = integer(change, "VisibilityTimeout", 0, 43_200) ?? 0;
  context.receiptHandles.checkChange(queue, required(change, "ReceiptHandle"), seconds);
  change["VisibilityTimeout"] = seconds / context.timeScale;
  context.trace.record("Lambda", "Publisher", `retry in ${seconds}s`);
}

function prepareMessage(message: Body, queue: SqsQueue, { timeScale, groups, trace }: SqsRequestContext): void {
  checkMessage(message);
  const seconds = integer(message, "DelaySeconds", 0, 900) ?? Number(queue.attributes["DelaySeconds"]);
  // A FIFO queue takes a delay only as its own attribute, which fauxqs reads as whole seconds: it is not compressed.
  if (!queue.isFifo()) message["DelaySeconds"] = seconds / timeScale;
  groups.note(message);
  scopeDeduplicationId(message, queue);
  const { StringValue: reason } = attributesOf(message)["reason"] ?? {};
  if (reason !== undefined) trace.record("Lambda", "Publisher", `dead letter: ${reason}`);
}

/** Checks of a message that do not depend on its queue. */
function checkMessage(message: Body): void {
  const attributes = attributesOf(message);
  const count = Object.keys(attributes).length;
  if (count > maxMessageAttributes) {
    throw new AwsError(
      "InvalidParameterValue",
      `Number of message attributes [${count}] exceeds the allowed maximum [${maxMessageAttributes}].`,
    );
  }
  checkAttributes(attributes, (reason) => new AwsError("InvalidParameterValue", reason));
  const texts = [required(message, "MessageBody"), ...Object.values(attributes).map(({ StringValue }) => StringValue)];
  const character = texts.map((text) => invalidCharacterOf(String(text ?? ""))).find(Boolean);
  if (character === undefined) return;
  throw new AwsError(
    "InvalidMessageContents",
    `Invalid characters found: ${character}. Valid unicode characters are ` +
      "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.",
  );
}

function scopeDeduplicationId(message: Body, queue: SqsQueue): void {
  const { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId, MessageBody: body } = message;
  const isContentBased = queue.attributes["ContentBasedDeduplication"] === "true";
  const target = { kind: "queue", isFifo: queue.isFifo(), isContentBased } as const;
  const scoped = scopedDeduplicationId({ groupId, deduplicationId, body }, target);
  if (scoped !== undefined) message["MessageDeduplicationId"] = scoped;
}

function attributesOf(message: Body): SentAttributes {
  return (message["MessageAttributes"] ?? {}) as SentAttributes;
}

function bytesOf(message: Body): number {
  return messageBytes(String(message["MessageBody"] ?? ""), attributesOf(message));
}

function required(request: Body, parameter: string): unknown {
  const value = request[parameter];
  if (value !== undefined && value !== null && value !== "") return value;
  throw new AwsError("MissingParameter", `The request must contain the parameter ${parameter}.`);
}

/** A whole number as SQS takes it: fauxqs takes fractions. */
function integer(body: Body, parameter: string, least: number, most: number): number | undefined {
  const value = body[parameter];
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) {
    throw new AwsError(
      "InvalidParameterValue",
      `Value ${String(value)} for parameter ${parameter} is invalid. ` +
        `Reason: Must be an integer between ${least} and ${most}.`,
    );
  }
  return Number(value);
}
