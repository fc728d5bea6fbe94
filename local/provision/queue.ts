import { region } from "../account";
import type { Messaging } from "../messaging/messaging";
import { type AttributeInputs, attributesFrom, given, nameOf, physicalName } from "./messagingAttributes";
import type { LocalResource, Properties } from "./resource";

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

export function queueResource(messaging: Messaging): LocalResource {
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
export function queueAttributeResource(messaging: Messaging, input: string, attribute: string): LocalResource {
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
