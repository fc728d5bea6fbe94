import { jsonObject } from "../jsonObject";
import { AwsError } from "./awsError";

type Attributes = Record<string, string>;

/** @throws AwsError InvalidParameter for attributes that SNS refuses; `topic` is its name or its ARN. */
export function checkTopicAttributes(topic: string, attributes: Attributes): void {
  const { Policy, FifoThroughputScope: scope } = attributes;
  if (Policy && !jsonObject(Policy)) throw invalid("Policy", Policy, "it is not a JSON object");
  if (scope && !["Topic", "MessageGroup"].includes(scope)) {
    throw invalid("FifoThroughputScope", scope, "it is neither Topic nor MessageGroup");
  }
  const ofFifo = ["FifoThroughputScope", "ContentBasedDeduplication"].find(
    (name) => attributes[name] && attributes[name] !== "false",
  );
  if (ofFifo && !topic.endsWith(".fifo")) {
    throw invalid(ofFifo, attributes[ofFifo] ?? "", "only a FIFO topic has it");
  }
}

/** @throws AwsError InvalidParameter for attributes that SNS refuses. */
export function checkSubscriptionAttributes(
  { RedrivePolicy, FilterPolicy }: Attributes,
  { topicArn, queueArn }: { topicArn: string; queueArn: string },
): void {
  if (FilterPolicy && !jsonObject(FilterPolicy)) throw invalid("FilterPolicy", FilterPolicy, "it is not a JSON object");
  if (!RedrivePolicy) return;
  const target = jsonObject(RedrivePolicy)?.["deadLetterTargetArn"];
  if (typeof target !== "string" || !target.startsWith("arn:")) {
    throw invalid("RedrivePolicy", RedrivePolicy, "its deadLetterTargetArn is not the ARN of a queue");
  }
  // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
  const isFifo = target.endsWith(".fifo");
  if (queueArn.endsWith(".fifo") && !isFifo) {
    const reason = "must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.";
    throw new AwsError("InvalidParameter", `Invalid parameter: RedrivePolicy: ${reason}`);
  }
  if (isFifo && !topicArn.endsWith(".fifo")) {
    throw invalid("RedrivePolicy", RedrivePolicy, "a standard topic cannot send to a FIFO queue");
  }
}

export function invalid(parameter: string, value: string, reason: string): AwsError {
  return new AwsError("InvalidParameter", `Invalid parameter: ${parameter} ${value} Reason: ${reason}`);
}
