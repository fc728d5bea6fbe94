import {
  CreateTopicCommand,
  DeleteTopicCommand,
  SetTopicAttributesCommand,
  type SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from "@aws-sdk/client-sns";
import { autoname } from "../../../local/provision/autoname";
import { type EmulatedResources, inPascalCase, inText, without } from "./resource";

/** https://docs.aws.amazon.com/sns/latest/api/API_Operations.html */
export function snsResources(sns: SNSClient): EmulatedResources {
  return {
    "aws:sns/topic:Topic": {
      async create(logicalName, inputs) {
        const name = (inputs.name as string | undefined) ?? autoname(logicalName, inputs.fifoTopic ? ".fifo" : "");
        const { TopicArn } = await sns.send(
          new CreateTopicCommand({
            Name: name,
            Attributes: inText(inPascalCase(without(inputs, "name", "tags"))),
            Tags: Object.entries((inputs.tags ?? {}) as Record<string, string>).map(([Key, Value]) => ({ Key, Value })),
          }),
        );
        return { id: TopicArn ?? "", outputs: { name, arn: TopicArn } };
      },
      async delete(id) {
        await sns.send(new DeleteTopicCommand({ TopicArn: id }));
      },
    },
    "aws:sns/topicPolicy:TopicPolicy": {
      async create(_, { arn, policy }) {
        const TopicArn = arn as string;
        const AttributeValue = policy as string;
        await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: "Policy", AttributeValue }));
        return { id: TopicArn, outputs: {} };
      },
      // A topic always has a policy: it goes with the topic.
      delete: () => Promise.resolve(),
    },
    "aws:sns/topicSubscription:TopicSubscription": {
      async create(_, { topic, protocol, endpoint, ...inputs }) {
        const { SubscriptionArn } = await sns.send(
          new SubscribeCommand({
            TopicArn: topic as string,
            Protocol: protocol as string,
            Endpoint: endpoint as string,
            Attributes: inText(inPascalCase(inputs)),
            ReturnSubscriptionArn: true,
          }),
        );
        return { id: SubscriptionArn ?? "", outputs: { arn: SubscriptionArn } };
      },
      async delete(id) {
        await sns.send(new UnsubscribeCommand({ SubscriptionArn: id }));
      },
    },
  };
}
