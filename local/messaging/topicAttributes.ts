import { jsonObject } from "../jsonObject";
import { AwsError } from "./awsError";
import { managedKeyRefusal, scopeOf, usesManagedKey } from "./fanOut";
import type { SqsQueue } from "./fauxqs";
import { filterPolicyProblem } from "./filterPolicy";

type Attributes = Record<string, string>;

/** The allowed values of attributes. An empty value removes the attribute. https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html */
const topicRules: AttributeRules = {
  Policy: [(value) => jsonObject(value) !== undefined, "it is not a JSON object"],
  DeliveryPolicy: [(value) => jsonObject(value) !== undefined, "it is not a JSON object"],
  FifoThroughputScope: [oneOf("Topic", "MessageGroup"), "it is neither Topic nor MessageGroup"],
  DisplayName: [(value) => value.length <= 100, "it is longer than 100 characters"],
  SignatureVersion: [oneOf("1", "2"), "it is neither 1 nor 2"],
  TracingConfig: [oneOf("PassThrough", "Active"), "it is neither PassThrough nor Active"],
  ContentBasedDeduplication: [oneOf("true", "false"), "it is neither true nor false"],
  FifoTopic: [oneOf("true", "false"), "it is neither true nor false"],
  KmsMasterKeyId: [() => true, ""],
};

/** @throws AwsError InvalidParameter for attributes that SNS refuses; `topic` is its name or its ARN. */
export function checkTopicAttributes(topic: string, attributes: Attributes): void {
  checkRules(attributes, topicRules);
  if (attributes["Policy"]) checkPolicyActions(attributes["Policy"]);
  const ofFifo = ["FifoThroughputScope", "ContentBasedDeduplication"].find(
    (name) => attributes[name] && attributes[name] !== "false",
  );
  if (ofFifo && !topic.endsWith(".fifo")) {
    throw invalid(ofFifo, attributes[ofFifo] ?? "", "only a FIFO topic has it");
  }
}

/**
 * The actions that a topic's policy may name, in lower case as IAM compares them.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
 */
const policyActions = new Set(
  [
    "AddPermission",
    "DeleteTopic",
    "GetDataProtectionPolicy",
    "GetTopicAttributes",
    "ListSubscriptionsByTopic",
    "ListTagsForResource",
    "Publish",
    "PutDataProtectionPolicy",
    "Receive",
    "RemovePermission",
    "SetTopicAttributes",
    "Subscribe",
  ].map((action) => `sns:${action}`.toLowerCase()),
);

/** A wildcard is let through: whether SNS takes one is not documented. */
function checkPolicyActions(policy: string): void {
  const { Statement = [] } = jsonObject(policy) as { Statement?: { Action?: string | string[] }[] };
  const actions = [Statement].flat().flatMap(({ Action = [] }) => Action);
  const unknown = actions.find((action) => !action.includes("*") && !policyActions.has(action.toLowerCase()));
  // As the service says it. https://github.com/hashicorp/terraform/issues/12740
  if (unknown !== undefined) throw invalid("Policy", unknown, "Policy statement action out of service scope!");
}

/** The two ends of a subscription. */
interface Subscribed {
  topicArn: string;
  queueArn: string;
}

/** @throws AwsError InvalidParameter where SNS refuses to subscribe a queue, and for one that it could never send to. */
export function checkSubscription(
  attributes: Attributes,
  subscribed: Subscribed & { queue: SqsQueue | undefined },
): void {
  const { topicArn, queueArn, queue } = subscribed;
  checkSubscriptionAttributes(attributes, subscribed);
  if (!/^arn:[^:]+:sqs:[^:]+:\d{12}:[^:]+$/.test(queueArn)) throw invalid("Endpoint", queueArn, "SQS endpoint ARN");
  if (queueArn.endsWith(".fifo") && !topicArn.endsWith(".fifo")) {
    throw invalid("Endpoint", queueArn, "FIFO SQS Queues can not be subscribed to standard SNS topics");
  }
  // AWS accepts the subscription, and loses every message: an error at once tells more.
  if (queue && usesManagedKey(queue)) throw invalid("Endpoint", queueArn, managedKeyRefusal);
}

/** https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html */
const subscriptionRules: AttributeRules = {
  RawMessageDelivery: [oneOf("true", "false"), "it is neither true nor false"],
  FilterPolicyScope: [oneOf("MessageAttributes", "MessageBody"), "it is neither MessageAttributes nor MessageBody"],
  DeliveryPolicy: [(value) => jsonObject(value) !== undefined, "it is not a JSON object"],
  FilterPolicy: [() => true, ""],
  RedrivePolicy: [() => true, ""],
};

/** @throws AwsError InvalidParameter for attributes that SNS refuses. */
export function checkSubscriptionAttributes(attributes: Attributes, { topicArn, queueArn }: Subscribed): void {
  checkRules(attributes, subscriptionRules);
  const { RedrivePolicy, FilterPolicy, FilterPolicyScope } = attributes;
  const problem = FilterPolicy && filterPolicyProblem(FilterPolicy, scopeOf(FilterPolicyScope));
  if (FilterPolicy && problem) throw invalid("FilterPolicy", FilterPolicy, problem);
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

type AttributeRules = Record<string, [isAllowed: (value: string) => boolean, reason: string]>;

function checkRules(attributes: Attributes, rules: AttributeRules): void {
  for (const [name, value] of Object.entries(attributes)) {
    const [isAllowed, reason] = (Object.hasOwn(rules, name) && rules[name]) || [];
    if (!isAllowed)
      throw invalid("AttributeName", name, "SNS does not have it, or it is not modelled in the local run");
    if (value !== "" && !isAllowed(value)) throw invalid(name, value, reason ?? "");
  }
}

function oneOf(...allowed: string[]): (value: string) => boolean {
  return (value) => allowed.includes(value);
}

export function invalid(parameter: string, value: string, reason: string): AwsError {
  return new AwsError("InvalidParameter", `Invalid parameter: ${parameter} ${value} Reason: ${reason}`);
}
