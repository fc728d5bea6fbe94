import { jsonObject } from "../jsonObject";
import { AwsError } from "./awsError";

/** What a queue's attributes may be; an attribute that is absent keeps AWS's default. */
const ranges = {
  VisibilityTimeout: [0, 43_200],
  DelaySeconds: [0, 900],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  MaximumMessageSize: [1_024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
} as const;

/**
 * Refuses attributes as SQS does, of the queue `queueName`; `exists` tells whether there is a queue of an ARN.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 *
 * @throws AwsError InvalidAttributeValue or InvalidParameterValue, naming the attribute, what it got and what is allowed.
 */
export function checkQueueAttributes(
  queueName: string,
  attributes: Record<string, string>,
  exists: (arn: string) => boolean,
): void {
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = attributes[name];
    if (value !== undefined && !(Number.isInteger(Number(value)) && Number(value) >= least && Number(value) <= most)) {
      throw new AwsError(
        "InvalidAttributeValue",
        `Invalid value for the parameter ${name} of ${queueName}: ${value}. Must be between ${least} and ${most}.`,
      );
    }
  }
  checkFifoAttributes(queueName, attributes);
  if (attributes["Policy"]) parseObject(queueName, "Policy", attributes["Policy"]);
  if (attributes["RedriveAllowPolicy"]) parseObject(queueName, "RedriveAllowPolicy", attributes["RedriveAllowPolicy"]);
  if (attributes["RedrivePolicy"]) checkRedrivePolicy(queueName, attributes["RedrivePolicy"], exists);
}

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

function checkRedrivePolicy(queueName: string, redrivePolicy: string, exists: (arn: string) => boolean): void {
  const { deadLetterTargetArn: target, maxReceiveCount: count } = parseObject(
    queueName,
    "RedrivePolicy",
    redrivePolicy,
  );
  const refuse = (reason: string) =>
    new AwsError(
      "InvalidParameterValue",
      `Value ${redrivePolicy} for parameter RedrivePolicy of ${queueName} is invalid. Reason: ${reason}`,
    );
  if (!Number.isInteger(Number(count)) || Number(count) < 1 || Number(count) > 1000) {
    throw refuse(`maxReceiveCount is ${String(count)}, valid values are from 1 to 1000 both inclusive.`);
  }
  if (typeof target !== "string" || !exists(target)) {
    throw refuse(`Dead letter target does not exist: ${String(target)}.`);
  }
  if (target.endsWith(".fifo") !== queueName.endsWith(".fifo")) {
    throw refuse("Dead-letter target must be same type of queue as the source.");
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
