import { account, region } from "../account";
import type { Messaging } from "../messaging";
import { autoname, prefixed } from "./autoname";
import { topicState } from "./messagingState";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Queues, topics, their policies and the subscriptions between them. */
export function messagingResources(messaging: Messaging): LocalResources {
  return {
    "aws:sqs/queue:Queue": queueResource(messaging),
    "aws:sqs/queuePolicy:QueuePolicy": queueAttributeResource(messaging, "policy", "Policy"),
    "aws:sqs/redrivePolicy:RedrivePolicy": queueAttributeResource(messaging, "redrivePolicy", "RedrivePolicy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": queueAttributeResource(
      messaging,
      "redriveAllowPolicy",
      "RedriveAllowPolicy",
    ),
    "aws:sns/topic:Topic": topicResource(messaging),
    "aws:sns/topicPolicy:TopicPolicy": topicPolicyResource(messaging),
    "aws:sns/topicSubscription:TopicSubscription": subscriptionResource(messaging),
  };
}

/** Input of a queue -> its attribute, and the value that AWS gives it where the program gives none. */
const queueInputs: AttributeInputs = {
  visibilityTimeoutSeconds: ["VisibilityTimeout", "30"],
  messageRetentionSeconds: ["MessageRetentionPeriod", "345600"],
  delaySeconds: ["DelaySeconds", "0"],
  maxMessageSize: ["MaximumMessageSize", "1048576"],
  receiveWaitTimeSeconds: ["ReceiveMessageWaitTimeSeconds", "0"],
  kmsMasterKeyId: ["KmsMasterKeyId", ""],
  contentBasedDeduplication: ["ContentBasedDeduplication", ""],
  // Also what other resources set, or AWS computes: absent, it stays what it is.
  policy: ["Policy"],
  redrivePolicy: ["RedrivePolicy"],
  redriveAllowPolicy: ["RedriveAllowPolicy"],
  sqsManagedSseEnabled: ["SqsManagedSseEnabled"],
  kmsDataKeyReusePeriodSeconds: ["KmsDataKeyReusePeriodSeconds"],
  deduplicationScope: ["DeduplicationScope"],
  fifoThroughputLimit: ["FifoThroughputLimit"],
};

function queueResource(messaging: Messaging): LocalResource {
  const outputs = (url: string, arn: string): Properties => {
    const attributes = messaging.queueAttributes(url);
    return {
      id: url,
      url,
      arn,
      name: nameOf(arn),
      region,
      visibilityTimeoutSeconds: Number(attributes["VisibilityTimeout"]),
      messageRetentionSeconds: Number(attributes["MessageRetentionPeriod"]),
      delaySeconds: Number(attributes["DelaySeconds"]),
      maxMessageSize: Number(attributes["MaximumMessageSize"]),
      receiveWaitTimeSeconds: Number(attributes["ReceiveMessageWaitTimeSeconds"]),
    };
  };
  return {
    replaceOnChanges: ["name", "namePrefix", "fifoQueue"],
    async create({ name, inputs }) {
      checkEncryption(name, inputs);
      const isFifo = inputs["fifoQueue"] === true;
      const attributes = given(attributesFrom(queueInputs, inputs));
      const { url, arn } = messaging.createQueue(physicalName(name, inputs, isFifo), attributes);
      return { id: url, outputs: outputs(url, arn) };
    },
    async update(url, { name, inputs }, olds) {
      checkEncryption(name, inputs);
      messaging.setQueueAttributes(url, attributesFrom(queueInputs, inputs));
      return outputs(url, String(olds["arn"]));
    },
    async delete(url) {
      messaging.deleteQueue(url);
    },
  };
}

function checkEncryption(name: string, { sqsManagedSseEnabled, kmsMasterKeyId }: Properties): void {
  if (sqsManagedSseEnabled === true && kmsMasterKeyId) {
    throw new Error(
      `queue ${name}: sqsManagedSseEnabled and kmsMasterKeyId (${String(kmsMasterKeyId)}) exclude each other`,
    );
  }
}

/** A resource that is one attribute of a queue that another resource created. */
function queueAttributeResource(messaging: Messaging, input: string, attribute: string): LocalResource {
  const put = (url: unknown, value: unknown) =>
    messaging.setQueueAttributes(String(url), { [attribute]: String(value) });
  return {
    replaceOnChanges: ["queueUrl"],
    async create({ inputs }) {
      put(inputs["queueUrl"], inputs[input]);
      return { id: String(inputs["queueUrl"]), outputs: { id: inputs["queueUrl"] } };
    },
    async update(id, { inputs }) {
      put(id, inputs[input]);
      return { id };
    },
    async delete(id) {
      put(id, "");
    },
  };
}

/** A topic's inputs, each as the attribute of SNS that it sets. */
const topicInputs: AttributeInputs = {
  displayName: ["DisplayName", ""],
  kmsMasterKeyId: ["KmsMasterKeyId", ""],
  deliveryPolicy: ["DeliveryPolicy", ""],
  contentBasedDeduplication: ["ContentBasedDeduplication", ""],
  fifoThroughputScope: ["FifoThroughputScope"],
  policy: ["Policy"],
  signatureVersion: ["SignatureVersion"],
  tracingConfig: ["TracingConfig"],
};

function topicResource(messaging: Messaging): LocalResource {
  const outputs = (arn: string) => ({ id: arn, arn, name: nameOf(arn), owner: account, region });
  return {
    replaceOnChanges: ["name", "namePrefix", "fifoTopic"],
    async create({ name, inputs }) {
      const isFifo = inputs["fifoTopic"] === true;
      const attributes = given(attributesFrom(topicInputs, inputs));
      const arn = messaging.createTopic(physicalName(name, inputs, isFifo), attributes);
      return { id: arn, outputs: outputs(arn) };
    },
    async update(arn, { inputs }) {
      messaging.setTopicAttributes(arn, attributesFrom(topicInputs, inputs));
      return outputs(arn);
    },
    async delete(arn) {
      messaging.deleteTopic(arn);
    },
    read: async (arn) => topicState(messaging, arn),
  };
}

/** Who may publish to a topic and subscribe to it, other accounts among them. */
function topicPolicyResource(messaging: Messaging): LocalResource {
  const put = (arn: unknown, policy: unknown) => messaging.setTopicAttributes(String(arn), { Policy: String(policy) });
  return {
    replaceOnChanges: ["arn"],
    async create({ inputs }) {
      put(inputs["arn"], inputs["policy"]);
      return { id: String(inputs["arn"]), outputs: { id: inputs["arn"], owner: account } };
    },
    async update(id, { inputs }) {
      put(id, inputs["policy"]);
      return { id, owner: account };
    },
    async delete(id) {
      put(id, "");
    },
  };
}

const subscriptionInputs: AttributeInputs = {
  rawMessageDelivery: ["RawMessageDelivery", "false"],
  redrivePolicy: ["RedrivePolicy", ""],
  filterPolicy: ["FilterPolicy", ""],
  filterPolicyScope: ["FilterPolicyScope", ""],
  deliveryPolicy: ["DeliveryPolicy", ""],
};

function subscriptionResource(messaging: Messaging): LocalResource {
  const outputs = (arn: string) => ({ id: arn, arn, ownerId: account, pendingConfirmation: false, region });
  return {
    replaceOnChanges: ["topic", "protocol", "endpoint"],
    async create({ name, inputs }) {
      if (inputs["protocol"] !== "sqs") {
        throw new Error(
          `subscription ${name}: protocol ${String(inputs["protocol"])} is not modelled in the local run, only sqs`,
        );
      }
      const attributes = given(attributesFrom(subscriptionInputs, inputs));
      const arn = messaging.subscribe(String(inputs["topic"]), String(inputs["endpoint"]), attributes);
      return { id: arn, outputs: outputs(arn) };
    },
    async update(arn, { inputs }) {
      messaging.setSubscriptionAttributes(arn, attributesFrom(subscriptionInputs, inputs));
      return outputs(arn);
    },
    async delete(arn) {
      messaging.unsubscribe(arn);
    },
  };
}

type AttributeInputs = Record<string, [attribute: string, byDefault?: string]>;

/** The attributes that the inputs set. An empty text removes the attribute. */
function attributesFrom(table: AttributeInputs, inputs: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([input, [attribute, byDefault]]) => {
      const value = inputs[input] ?? byDefault;
      return value === undefined ? [] : [[attribute, String(value)]];
    }),
  );
}

function given(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}

function physicalName(logicalName: string, { name, namePrefix }: Properties, isFifo: boolean): string {
  if (typeof name === "string") {
    if (name.endsWith(".fifo") !== isFifo) {
      throw new Error(`${logicalName}: the name of a FIFO queue or topic, and no other, ends with .fifo; got ${name}`);
    }
    return name;
  }
  const suffix = isFifo ? ".fifo" : "";
  return typeof namePrefix === "string" ? prefixed(namePrefix, suffix) : autoname(logicalName, suffix);
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}
