import { arn } from "../account";
import { jsonObject } from "../jsonObject";
import { AwsError } from "./awsError";
import type { SqsQueue } from "./fauxqs";

/** What a queue's attributes may be; an attribute that is absent keeps AWS's default. */
const ranges = {
  VisibilityTimeout: [0, 43_200],
  DelaySeconds: [0, 900],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  MaximumMessageSize: [1_024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
} as const;

/** The attributes that are either true or false. */
const booleans = ["FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled"];

const others = [
  "Policy",
  "RedrivePolicy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "DeduplicationScope",
  "FifoThroughputLimit",
];

const known = new Set([...Object.keys(ranges), ...booleans, ...others]);

/**
 * Refuses attributes as SQS does, of the queue `queueName`; `queueByArn` finds the queue that it names as dead-letter queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 *
 * @throws AwsError InvalidAttributeValue or InvalidParameterValue, naming the attribute, what it got and what is allowed.
 */
export function checkQueueAttributes(
  queueName: string,
  attributes: Record<string, string>,
  queueByArn: QueueByArn,
): void {
  const unknown = Object.keys(attributes).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new AwsError("InvalidAttributeName", `Unknown Attribute ${unknown} of ${queueName}.`);
  }
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = attributes[name];
    if (value !== undefined && !(Number.isInteger(Number(value)) && Number(value) >= least && Number(value) <= most)) {
      throw new AwsError(
        "InvalidAttributeValue",
        `Invalid value for the parameter ${name} of ${queueName}: ${value}. Must be between ${least} and ${most}.`,
      );
    }
  }
  for (const name of booleans) {
    const value = attributes[name];
    if (value && !["true", "false"].includes(value)) {
      throw new AwsError(
        "InvalidAttributeValue",
        `Invalid value for the parameter ${name} of ${queueName}: ${value}. Must be true or false.`,
      );
    }
  }
  checkFifoAttributes(queueName, attributes);
  if (attributes["Policy"]) parseObject(queueName, "Policy", attributes["Policy"]);
  if (attributes["RedriveAllowPolicy"]) checkRedriveAllowPolicy(queueName, attributes["RedriveAllowPolicy"]);
  if (attributes["RedrivePolicy"]) checkRedrivePolicy(queueName, attributes["RedrivePolicy"], queueByArn);
}

type QueueByArn = (arn: string) => Pick<SqsQueue, "attributes"> | undefined;

/** `false` and an empty text, which removes an attribute, say nothing new. */
function given(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "false";
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html */
function checkFifoAttributes(queueName: string, attributes: Record<string, string>): void {
  const name = ["DeduplicationScope", "FifoThroughputLimit", "ContentBasedDeduplication"].find((key) =>
    given(attributes[key]),
  );
  if (name && !queueName.endsWith(".fifo")) {
    throw new AwsError("InvalidAttributeName", `Unknown Attribute ${name}: ${queueName} is no FIFO queue.`);
  }
  const { DeduplicationScope: scope, FifoThroughputLimit: limit } = attributes;
  const refuse = (attribute: string, allowed: string) => {
    const value = attributes[attribute];
    return new AwsError(
      "InvalidAttributeValue",
      `Invalid value for the parameter ${attribute} of ${queueName}: ${value}. ${allowed}`,
    );
  };
  if (scope && !["queue", "messageGroup"].includes(scope)) {
    throw refuse("DeduplicationScope", "Must be queue or messageGroup.");
  }
  if (limit && !["perQueue", "perMessageGroupId"].includes(limit)) {
    throw refuse("FifoThroughputLimit", "Must be perQueue or perMessageGroupId.");
  }
  if (limit === "perMessageGroupId" && scope !== "messageGroup") {
    throw refuse("FifoThroughputLimit", "Can be set only where DeduplicationScope is messageGroup.");
  }
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
function checkRedrivePolicy(queueName: string, redrivePolicy: string, queueByArn: QueueByArn): void {
  const {
    deadLetterTargetArn: target,
    maxReceiveCount: count,
    ...unknown
  } = parseObject(queueName, "RedrivePolicy", redrivePolicy);
  const refuse = (reason: string) =>
    new AwsError(
      "InvalidParameterValue",
      `Value ${redrivePolicy} for parameter RedrivePolicy of ${queueName} is invalid. Reason: ${reason}`,
    );
  if (Object.keys(unknown).length > 0) {
    throw refuse(`${Object.keys(unknown).join(", ")}: only deadLetterTargetArn and maxReceiveCount are allowed.`);
  }
  if (!Number.isInteger(Number(count)) || Number(count) < 1 || Number(count) > 1000) {
    throw refuse(`maxReceiveCount is ${String(count)}, valid values are from 1 to 1000 both inclusive.`);
  }
  const deadLetterQueue = typeof target === "string" ? queueByArn(target) : undefined;
  if (typeof target !== "string" || !deadLetterQueue) {
    throw refuse(`Dead letter target does not exist: ${String(target)}.`);
  }
  if (target.endsWith(".fifo") !== queueName.endsWith(".fifo")) {
    throw refuse("Dead-letter target must be same type of queue as the source.");
  }
  const allowPolicy = jsonObject(deadLetterQueue.attributes["RedriveAllowPolicy"]) ?? {};
  const { redrivePermission = "allowAll", sourceQueueArns = [] } = allowPolicy;
  const isAllowed = redrivePermission === "allowAll" || (sourceQueueArns as string[]).includes(arn("sqs", queueName));
  if (!isAllowed) {
    throw refuse(
      `Queue does not allow redrive: the RedriveAllowPolicy of ${target} is ${JSON.stringify(allowPolicy)}.`,
    );
  }
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
function checkRedriveAllowPolicy(queueName: string, json: string): void {
  const {
    redrivePermission: permission,
    sourceQueueArns: sources,
    ...unknown
  } = parseObject(queueName, "RedriveAllowPolicy", json);
  const refuse = (reason: string) =>
    new AwsError(
      "InvalidParameterValue",
      `Value ${json} for parameter RedriveAllowPolicy of ${queueName} is invalid. Reason: ${reason}`,
    );
  if (Object.keys(unknown).length > 0) {
    throw refuse(`${Object.keys(unknown).join(", ")}: only redrivePermission and sourceQueueArns are allowed.`);
  }
  if (!["allowAll", "denyAll", "byQueue"].includes(String(permission))) {
    throw refuse(`redrivePermission is ${String(permission)}, must be allowAll, denyAll or byQueue.`);
  }
  const isList = Array.isArray(sources) && sources.length >= 1 && sources.length <= 10;
  if (permission === "byQueue" ? !isList : sources !== undefined) {
    throw refuse("sourceQueueArns must list 1 to 10 ARNs with byQueue, and be absent otherwise.");
  }
}

function parseObject(queueName: string, name: string, json: string): Record<string, unknown> {
  const value = jsonObject(json);
  if (value) return value;
  throw new AwsError(
    "InvalidAttributeValue",
    `Invalid value for the parameter ${name} of ${queueName}: not a JSON object.`,
  );
}
