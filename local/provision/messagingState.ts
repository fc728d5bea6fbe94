import { account, arn, region } from "../account";
import type { Messaging } from "../messaging/messaging";
import type { LocalFunctions, Properties } from "./resource";

/** The state of a topic, for `aws.sns.Topic.get`; undefined where there is none of that ARN. */
export function topicState(messaging: Messaging, topicArn: string): Properties | undefined {
  const attributes = messaging.topicAttributes(topicArn);
  return (
    attributes && {
      ...identity(topicArn),
      owner: account,
      displayName: attributes["DisplayName"] ?? "",
      kmsMasterKeyId: attributes["KmsMasterKeyId"],
      policy: attributes["Policy"],
      fifoTopic: attributes["FifoTopic"] === "true",
    }
  );
}

/** `aws.sns.getTopic` and `aws.sqs.getQueue`: both know a name, and nothing else. */
export function messagingFunctions(messaging: Messaging): LocalFunctions {
  return {
    "aws:sns/getTopic:getTopic"({ name }) {
      const topicArn = arn("sns", String(name));
      if (!messaging.topicAttributes(topicArn))
        throw new Error(`NotFoundException: no SNS Topic named ${String(name)}`);
      return { ...identity(topicArn), tags: {} };
    },
    "aws:sqs/getQueue:getQueue"({ name }) {
      const queueArn = arn("sqs", String(name));
      if (!messaging.hasQueue(queueArn)) throw new Error(`QueueDoesNotExist: no SQS queue named ${String(name)}`);
      const url = messaging.queueUrl(queueArn);
      return { ...identity(queueArn), id: url, url, tags: {} };
    },
  };
}

function identity(resourceArn: string): Properties {
  const name = resourceArn.slice(resourceArn.lastIndexOf(":") + 1);
  return { id: resourceArn, arn: resourceArn, name, region };
}
