import { account, region } from "../account";
import type { Messaging } from "../messaging/messaging";
import { type AttributeInputs, attributesFrom, given, nameOf, physicalName } from "./messagingAttributes";
import { topicState } from "./messagingState";
import type { LocalResource } from "./resource";

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

export function topicResource(messaging: Messaging): LocalResource {
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
export function topicPolicyResource(messaging: Messaging): LocalResource {
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

export function subscriptionResource(messaging: Messaging): LocalResource {
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
