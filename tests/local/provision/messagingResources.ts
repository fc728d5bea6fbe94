import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { GetSubscriptionAttributesCommand } from "@aws-sdk/client-sns";
import { messagingResources } from "../../../local/provision/messaging";
import type { Properties } from "../../../local/provision/resource";
import { startMessaging } from "../messaging/messagingSetUp";
import { resourceOf } from "./resourceOf";

export async function startMessagingResources() {
  const { messaging, sqs, sns } = await startMessaging();
  const resources = messagingResources(messaging);
  const resource = (type: string) => resourceOf(resources, type);
  const create = async (type: string, inputs: Properties = {}, name = "relay") => {
    const { id, outputs } = await resource(type).create({ name, inputs });
    const all: Properties & { id: string } = { ...inputs, ...outputs, id };
    return all;
  };
  const update = (type: string, olds: Properties & { id: string }, inputs: Properties, name = "relay") =>
    resource(type).update(olds.id, { name, inputs }, olds);
  const queueAttributes = async (url: string) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }))).Attributes ?? {};
  const subscriptionAttributes = async (arn: string) =>
    (await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }))).Attributes ?? {};
  return { messaging, sqs, sns, resource, create, update, queueAttributes, subscriptionAttributes };
}

export const queue = "aws:sqs/queue:Queue";
export const queuePolicy = "aws:sqs/queuePolicy:QueuePolicy";
export const topic = "aws:sns/topic:Topic";
export const subscription = "aws:sns/topicSubscription:TopicSubscription";
