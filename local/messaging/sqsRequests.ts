import type { Trace } from "../trace";
import { AwsError } from "./awsError";
import { scopedDeduplicationId } from "./deduplication";
import { maxMessageAttributes } from "./fanOut";
import type { SqsQueue } from "./fauxqs";
import type { MessageGroups } from "./messageGroups";
import { checkQueueAttributes } from "./queueAttributes";

/** What the requests of SQS clients are checked against. */
export interface SqsRequestContext {
  queueByUrl(url: string): SqsQueue | undefined;
  queueExists(arn: string): boolean;
  groups: MessageGroups;
  timeScale: number;
  trace: Trace;
}

type Body = Record<string, unknown>;

/**
 * Checks a request to SQS, records it, and compresses its times in place, before fauxqs sees it. The queue keeps its
 * own times as they were set, for GetQueueAttributes to show them: each request carries them compressed.
 *
 * @throws AwsError where SQS refuses and fauxqs does not.
 */
export function prepareSqsRequest(action: string, body: Body, context: SqsRequestContext): void {
  const { timeScale, trace } = context;
  const queue = context.queueByUrl(String(body["QueueUrl"]));
  const entries = Array.isArray(body["Entries"]) ? (body["Entries"] as Body[]) : [];
  switch (action) {
    case "CreateQueue":
    case "SetQueueAttributes": {
      const name = queue?.name ?? String(body["QueueName"]);
      checkQueueAttributes(name, (body["Attributes"] ?? {}) as Record<string, string>, context.queueExists);
      return;
    }
    case "GetQueueAttributes":
      // fauxqs moves messages whose time has come only when it is asked for messages; the counts are to be current.
      queue?.processTimers();
      return;
    case "ReceiveMessage": {
      const seconds = integer(body, "VisibilityTimeout", 43_200) ?? Number(queue?.attributes["VisibilityTimeout"]);
      if (queue) body["VisibilityTimeout"] = seconds / timeScale;
      return;
    }
    case "SendMessage":
    case "SendMessageBatch":
      // A whole batch is refused for one entry; SQS would accept the others.
      for (const message of action === "SendMessage" ? [body] : entries) {
        prepareMessage(message, queue, timeScale);
        context.groups.note(message);
        scopeDeduplicationId(message, queue);
        const { StringValue: reason } = attributesOf(message)["reason"] ?? {};
        if (reason !== undefined) trace.record("Lambda", "Publisher", `dead letter: ${reason}`);
      }
      return;
    case "ChangeMessageVisibility":
    case "ChangeMessageVisibilityBatch":
      for (const change of action === "ChangeMessageVisibility" ? [body] : entries) {
        const seconds = integer(change, "VisibilityTimeout", 43_200);
        if (seconds === undefined) continue;
        change["VisibilityTimeout"] = seconds / timeScale;
        trace.record("Lambda", "Publisher", `retry in ${seconds}s`);
      }
  }
}

function prepareMessage(message: Body, queue: SqsQueue | undefined, timeScale: number): void {
  const attributes = Object.keys(attributesOf(message)).length;
  if (attributes > maxMessageAttributes) {
    throw new AwsError(
      "InvalidParameterValue",
      `Number of message attributes [${attributes}] exceeds the allowed maximum [${maxMessageAttributes}].`,
    );
  }
  const seconds = integer(message, "DelaySeconds", 900) ?? Number(queue?.attributes["DelaySeconds"]);
  // A FIFO queue takes a delay only as its own attribute, which fauxqs reads as whole seconds: it is not compressed.
  if (queue && !queue.isFifo()) message["DelaySeconds"] = seconds / timeScale;
}

function scopeDeduplicationId(message: Body, queue: SqsQueue | undefined): void {
  const { MessageGroupId: groupId, MessageDeduplicationId: deduplicationId, MessageBody: body } = message;
  const isContentBased = queue?.attributes["ContentBasedDeduplication"] === "true";
  const target = { kind: "queue", isFifo: queue?.isFifo() === true, isContentBased } as const;
  const scoped = scopedDeduplicationId({ groupId, deduplicationId, body }, target);
  if (scoped !== undefined) message["MessageDeduplicationId"] = scoped;
}

function attributesOf(message: Body): Record<string, { StringValue?: string }> {
  return (message["MessageAttributes"] ?? {}) as Record<string, { StringValue?: string }>;
}

/** Seconds as a client may send them: fauxqs takes fractions, SQS does not. */
function integer(body: Body, parameter: string, most: number): number | undefined {
  const value = body[parameter];
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > most) {
    throw new AwsError(
      "InvalidParameterValue",
      `Value ${String(value)} for parameter ${parameter} is invalid. Reason: Must be an integer between 0 and ${most}.`,
    );
  }
  return Number(value);
}
