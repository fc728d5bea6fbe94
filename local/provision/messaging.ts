import type { Messaging } from "../messaging/messaging";
import { queueAttributeResource, queueResource } from "./queue";
import type { LocalResources } from "./resource";
import { subscriptionResource, topicPolicyResource, topicResource } from "./topic";

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
