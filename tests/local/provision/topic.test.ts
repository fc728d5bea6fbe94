import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { GetTopicAttributesCommand, ListTopicsCommand, PublishCommand } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { messagingResources } from "../../../local/provision/messaging";
import { messagingFunctions } from "../../../local/provision/messagingState";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { queue, queuePolicy, startMessagingResources, subscription, topic } from "./messagingResources";

describe("a provisioned topic", () => {
  it("is autonamed, changes in place and is deleted", async () => {
    const { sns, resource, create, update } = await startMessagingResources();
    const olds = await create(topic, { displayName: "first" });
    expect((olds as Properties)["arn"]).to.match(/^arn:aws:sns:us-east-1:000000000000:relay-[0-9a-f]{7}$/);
    await update(topic, olds, { displayName: "second" });
    await create("aws:sns/topicPolicy:TopicPolicy", { arn: olds.id, policy: "{}" });
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn: olds.id }));
    expect(Attributes).to.include({ DisplayName: "second", Policy: "{}" });
    await resource(topic).delete(olds.id, olds);
    expect((await sns.send(new ListTopicsCommand({}))).Topics ?? []).to.deep.equal([]);
  });
});

describe("a provisioned topic that AWS refuses", () => {
  const refusals: [claim: string, inputs: Properties, message: RegExp][] = [
    ["a name of 257 characters", { name: "t".repeat(257) }, /Topic Name.*1 to 256 in length.*has 257/],
    ["a FIFO name of 257 characters", { name: `${"t".repeat(252)}.fifo`, fifoTopic: true }, /has 257/],
    ["a name with a period", { name: "relay.v1" }, /alphanumeric/],
    ["a FIFO name on a standard topic", { name: "topic.fifo" }, /\.fifo/],
    ["a signature version that there is not", { signatureVersion: 3 }, /SignatureVersion 3/],
    ["tracing that there is not", { tracingConfig: "On" }, /TracingConfig On/],
    ["a display name of 101 characters", { displayName: "d".repeat(101) }, /DisplayName/],
  ];
  for (const [claim, inputs, message] of refusals) {
    it(`has ${claim}`, async () => {
      const { create } = await startMessagingResources();
      expect((await refusal(create(topic, inputs))).message).to.match(message);
    });
  }

  it("does not have a name of 256 characters", async () => {
    const { create } = await startMessagingResources();
    await create(topic, { name: "t".repeat(256) });
  });
});

describe("a provisioned topic's policy", () => {
  for (const policy of ["{", "[]", "everyone"]) {
    it(`is refused where it is ${policy}`, async () => {
      const { create } = await startMessagingResources();
      const { id: arn } = await create(topic, {});
      const refused = [create(topic, { policy }), create("aws:sns/topicPolicy:TopicPolicy", { arn, policy })];
      for (const each of refused) {
        expect((await refusal(each)).message).to.include(`InvalidParameter: Invalid parameter: Policy ${policy}`);
      }
    });
  }
});

describe("a provisioned topic's policy with an action", () => {
  const withAction = async (Action: string | string[]) => {
    const { create } = await startMessagingResources();
    const { id: arn } = await create(topic, {});
    const Statement = [{ Effect: "Deny", Principal: "*", Action, Resource: arn }];
    return create("aws:sns/topicPolicy:TopicPolicy", { arn, policy: JSON.stringify({ Statement }) });
  };

  it("that is not a topic's is refused in SNS's words", async () => {
    for (const action of ["sns:CreateTopic", ["sns:Publish", "SNS:SetSubscriptionAttributes"], "sqs:SendMessage"]) {
      expect((await refusal(withAction(action))).message).to.include("Policy statement action out of service scope!");
    }
  });

  it("that is a topic's is taken, in any case", async () => {
    expect(await withAction(["SNS:Publish", "sns:Subscribe", "sns:listsubscriptionsbytopic"])).to.have.property("id");
  });
});

describe("a provisioned FIFO topic", () => {
  it("has a name that says so, and the scope of its throughput", async () => {
    const { messaging, create } = await startMessagingResources();
    const { id } = await create(topic, { fifoTopic: true, fifoThroughputScope: "MessageGroup" });
    expect(id).to.match(/:relay-[0-9a-f]{7}\.fifo$/);
    expect(messaging.topicAttributes(id)).to.deep.include({ FifoTopic: "true", FifoThroughputScope: "MessageGroup" });
  });

  it("is refused with a scope that there is not", async () => {
    const { create } = await startMessagingResources();
    const refused = create(topic, { fifoTopic: true, fifoThroughputScope: "messageGroup" });
    expect((await refusal(refused)).message).to.include("FifoThroughputScope messageGroup");
  });
});

describe("what a program asks of queues and topics", () => {
  it("is a topic's state by its ARN, and nothing where there is none", async () => {
    const { messaging, create, resource } = await startMessagingResources();
    const { id } = await create(topic, { name: "topic", kmsMasterKeyId: "alias/mine" });
    const read = messagingResources(messaging)[topic]?.read;
    expect(await read?.(id)).to.deep.equal({
      id,
      arn: id,
      name: "topic",
      owner: "000000000000",
      region: "us-east-1",
      displayName: "",
      kmsMasterKeyId: "alias/mine",
      policy: undefined,
      fifoTopic: false,
    });
    await resource(topic).delete(id, {});
    expect(await read?.(id)).to.equal(undefined);
  });

  it("is answered by name, and refused where nothing has that name", async () => {
    const { messaging, create } = await startMessagingResources();
    const { "aws:sns/getTopic:getTopic": getTopic, "aws:sqs/getQueue:getQueue": getQueue } =
      messagingFunctions(messaging);
    expect(() => getTopic?.({ name: "relay" })).to.throw("no SNS Topic named relay");
    expect(() => getQueue?.({ name: "relay" })).to.throw("no SQS queue named relay");
    const { id: topicArn } = await create(topic, { name: "relay" });
    const { id: url, arn } = (await create(queue, { name: "relay" })) as Properties;
    expect(await getTopic?.({ name: "relay" })).to.include({ id: topicArn, arn: topicArn, name: "relay" });
    expect(await getQueue?.({ name: "relay" })).to.include({ id: url, url, arn, name: "relay" });
  });
});

describe("a provisioned subscription", () => {
  it("delivers, changes in place and ends", async () => {
    const { sqs, sns, resource, create, update, subscriptionAttributes } = await startMessagingResources();
    const { id: topicArn } = await create(topic);
    const { id: url, arn: queueArn } = (await create(queue)) as Properties & { id: string; arn: string };
    const policy = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: queueArn };
    await create(queuePolicy, { queueUrl: url, policy: JSON.stringify({ Statement: [policy] }) });
    const inputs = { topic: topicArn, protocol: "sqs", endpoint: queueArn, rawMessageDelivery: true };
    const olds = await create(subscription, inputs);
    expect(await subscriptionAttributes(olds.id)).to.include({ RawMessageDelivery: "true", Endpoint: queueArn });
    const receive = async () => {
      await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url }));
      return Messages.map(({ Body }) => Body);
    };
    expect(await receive()).to.deep.equal(["hello"]);
    await update(subscription, olds, { ...inputs, filterPolicy: '{"context":["chat"]}' });
    expect(await receive()).to.deep.equal([]);
    await update(subscription, olds, inputs);
    expect(await receive()).to.deep.equal(["hello"]);
    await resource(subscription).delete(olds.id, olds);
    expect(await receive()).to.deep.equal([]);
  });

  const refusals: [claim: string, inputs: Properties, message: RegExp][] = [
    ["another protocol", { protocol: "email" }, /email.*only sqs/],
    ["a topic that does not exist", { topic: "arn:aws:sns:us-east-1:000000000000:gone" }, /Topic does not exist.*gone/],
    ["a FIFO queue on a standard topic", { endpoint: "arn:aws:sqs:us-east-1:000000000000:q.fifo" }, /FIFO/],
    ["a redrive policy without a target", { redrivePolicy: "{}" }, /deadLetterTargetArn/],
    ["a filter policy that is not JSON", { filterPolicy: "{" }, /FilterPolicy/],
    ["an operator that SNS does not have", { filterPolicy: '{"a":[{"regex":"x"}]}' }, /Unrecognized match type regex/],
    ["another filter policy scope", { filterPolicyScope: "Body" }, /FilterPolicyScope Body/],
    ["an endpoint that is no queue's ARN", { endpoint: "https://sqs.us-east-1.amazonaws.com/0/q" }, /SQS endpoint ARN/],
  ];
  for (const [claim, inputs, message] of refusals) {
    it(`is refused with ${claim}`, async () => {
      const { create } = await startMessagingResources();
      const { id: topicArn } = await create(topic);
      const { arn } = (await create(queue)) as Properties;
      const given = { topic: topicArn, protocol: "sqs", endpoint: arn, ...inputs };
      expect((await refusal(create(subscription, given))).message).to.match(message);
    });
  }

  it("is refused with a queue under the AWS managed key, which SNS cannot use", async () => {
    const { create } = await startMessagingResources();
    const { id: topicArn } = await create(topic);
    const { arn } = (await create(queue, { kmsMasterKeyId: "alias/aws/sqs" })) as Properties;
    const given = { topic: topicArn, protocol: "sqs", endpoint: arn };
    expect((await refusal(create(subscription, given))).message).to.contain("alias/aws/sqs");
  });
});
