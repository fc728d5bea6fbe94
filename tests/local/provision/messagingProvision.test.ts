import { GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import {
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListTopicsCommand,
  PublishCommand,
} from "@aws-sdk/client-sns";
import { expect } from "chai";
import { messagingResources } from "../../../local/provision/messaging";
import { messagingFunctions } from "../../../local/provision/messagingState";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { startMessaging } from "../messaging/messagingSetUp";

async function start() {
  const { messaging, sqs, sns } = await startMessaging();
  const resources = messagingResources(messaging);
  const resource = (type: string) => {
    const found = resources[type];
    if (!found?.update) throw new Error(`${type} is no resource that can be updated`);
    return { ...found, update: found.update };
  };
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

const queue = "aws:sqs/queue:Queue";
const queuePolicy = "aws:sqs/queuePolicy:QueuePolicy";
const topic = "aws:sns/topic:Topic";
const subscription = "aws:sns/topicSubscription:TopicSubscription";

describe("a provisioned queue", () => {
  it("is autonamed, and has AWS's defaults", async () => {
    const { messaging, create, queueAttributes } = await start();
    const { id, ...outputs } = await create(queue);
    expect(outputs["name"]).to.match(/^relay-[0-9a-f]{7}$/);
    expect(id).to.equal(`${messaging.endpoint}/000000000000/${String(outputs["name"])}`);
    expect(outputs).to.include({
      url: id,
      arn: `arn:aws:sqs:us-east-1:000000000000:${String(outputs["name"])}`,
      visibilityTimeoutSeconds: 30,
      messageRetentionSeconds: 345_600,
    });
    expect(await queueAttributes(id)).to.include({ QueueArn: outputs["arn"], MaximumMessageSize: "1048576" });
  });

  it("has the attributes that its inputs give", async () => {
    const { create, queueAttributes } = await start();
    const { arn } = (await create(queue, {}, "dead")) as Properties;
    const redrivePolicy = JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: 5 });
    const { id } = await create(queue, {
      name: "queue",
      visibilityTimeoutSeconds: 60,
      messageRetentionSeconds: 3600,
      delaySeconds: 1,
      maxMessageSize: 2048,
      receiveWaitTimeSeconds: 20,
      redrivePolicy,
      policy: '{"Statement":[]}',
      kmsMasterKeyId: "alias/mine",
    });
    expect(await queueAttributes(id)).to.include({
      VisibilityTimeout: "60",
      MessageRetentionPeriod: "3600",
      DelaySeconds: "1",
      MaximumMessageSize: "2048",
      ReceiveMessageWaitTimeSeconds: "20",
      RedrivePolicy: redrivePolicy,
      Policy: '{"Statement":[]}',
      KmsMasterKeyId: "alias/mine",
    });
  });

  it("is FIFO with a name that says so", async () => {
    const { create, queueAttributes } = await start();
    const { id, ...outputs } = await create(queue, { fifoQueue: true, contentBasedDeduplication: true });
    expect((outputs as Properties)["name"]).to.match(/^relay-[0-9a-f]{7}\.fifo$/);
    expect(await queueAttributes(id)).to.include({ FifoQueue: "true", ContentBasedDeduplication: "true" });
  });

  it("changes in place, and takes its defaults back where an input is gone", async () => {
    const { create, update, queueAttributes } = await start();
    const olds = await create(queue, { name: "queue", visibilityTimeoutSeconds: 60, delaySeconds: 5 });
    const outputs = await update(queue, olds, { name: "queue", visibilityTimeoutSeconds: 90 });
    expect(outputs).to.include({ id: olds.id, name: "queue", visibilityTimeoutSeconds: 90, delaySeconds: 0 });
    expect(await queueAttributes(olds.id)).to.include({ VisibilityTimeout: "90", DelaySeconds: "0" });
  });

  it("keeps the policy of another resource when it changes", async () => {
    const { create, update, queueAttributes } = await start();
    const olds = await create(queue, { name: "queue" });
    await create(queuePolicy, { queueUrl: olds.id, policy: '{"Statement":[]}' });
    await update(queue, olds, { name: "queue", visibilityTimeoutSeconds: 90 });
    expect(await queueAttributes(olds.id)).to.include({ Policy: '{"Statement":[]}' });
  });

  it("is gone when it has been deleted", async () => {
    const { resource, create, queueAttributes } = await start();
    const olds = await create(queue);
    await resource(queue).delete(olds.id, olds);
    expect((await refusal(queueAttributes(olds.id))).name).to.equal("QueueDoesNotExist");
  });

  const refusals: [claim: string, inputs: Properties, message: RegExp][] = [
    ["a retention out of range", { messageRetentionSeconds: 59 }, /MessageRetentionPeriod.*59/],
    ["a redrive policy without a target", { redrivePolicy: '{"maxReceiveCount":5}' }, /does not exist/],
    ["both kinds of encryption", { sqsManagedSseEnabled: true, kmsMasterKeyId: "alias/mine" }, /exclude each other/],
    ["a FIFO name on a standard queue", { name: "queue.fifo" }, /\.fifo/],
    ["a standard name on a FIFO queue", { name: "queue", fifoQueue: true }, /\.fifo/],
    ["a name of 82 characters", { name: "q".repeat(82) }, /QueueName.*1 to 80 in length.*has 82/],
    ["a FIFO name of 81 characters", { name: `${"q".repeat(76)}.fifo`, fifoQueue: true }, /has 81/],
    ["a name with a period", { name: "relay.v1" }, /alphanumeric characters, hyphens, or underscores/],
    ["a name with a space", { name: "my relay" }, /alphanumeric/],
    ["a prefix that makes the name too long", { namePrefix: "q".repeat(55) }, /has 81/],
    ["a key reuse period below a minute", { kmsDataKeyReusePeriodSeconds: 59 }, /59.*60 and 86400/],
    ["a redrive policy with more in it", { redrivePolicy: '{"maxReceiveCount":5,"max":1}' }, /max: only/],
    ["a redrive permission that there is not", { redriveAllowPolicy: '{"redrivePermission":"all"}' }, /allowAll/],
    [
      "sources without byQueue",
      { redriveAllowPolicy: '{"redrivePermission":"denyAll","sourceQueueArns":[]}' },
      /byQueue/,
    ],
    ["byQueue without sources", { redriveAllowPolicy: '{"redrivePermission":"byQueue"}' }, /1 to 10/],
  ];
  for (const [claim, inputs, message] of refusals) {
    it(`is refused with ${claim}`, async () => {
      const { create } = await start();
      expect((await refusal(create(queue, inputs))).message).to.match(message);
    });
  }

  it("may have a name of 80 characters, a FIFO one its suffix included", async () => {
    const { create } = await start();
    await create(queue, { name: "q".repeat(80) });
    await create(queue, { name: `${"q".repeat(75)}.fifo`, fifoQueue: true });
  });

  it("is named by its prefix", async () => {
    const { create } = await start();
    expect(await create(queue, { namePrefix: "chat-" }))
      .to.have.property("name")
      .that.matches(/^chat-[0-9a-f]{26}$/);
    const fifo = await create(queue, { namePrefix: "chat-", fifoQueue: true });
    expect(fifo)
      .to.have.property("name")
      .that.matches(/^chat-[0-9a-f]{26}\.fifo$/);
  });

  for (const [permission, isAllowed] of [
    [{ redrivePermission: "denyAll" }, false],
    [{ redrivePermission: "byQueue", sourceQueueArns: ["arn:aws:sqs:us-east-1:000000000000:other"] }, false],
    [{ redrivePermission: "byQueue", sourceQueueArns: ["arn:aws:sqs:us-east-1:000000000000:source"] }, true],
    [{ redrivePermission: "allowAll" }, true],
  ] as const) {
    const claim = isAllowed ? "sends its dead letters" : "is refused a redrive";
    it(`${claim} to a queue that says ${JSON.stringify(permission)}`, async () => {
      const { create } = await start();
      const dead = await create(queue, { name: "dead", redriveAllowPolicy: JSON.stringify(permission) });
      const redrivePolicy = JSON.stringify({ deadLetterTargetArn: dead["arn"], maxReceiveCount: 5 });
      const source = create(queue, { name: "source", redrivePolicy });
      if (isAllowed) expect(await source).to.include({ name: "source" });
      else expect((await refusal(source)).message).to.match(/does not allow redrive/);
    });
  }

  it("is refused under a name that is taken", async () => {
    const { create } = await start();
    await create(queue, { name: "queue" });
    expect((await refusal(create(queue, { name: "queue" }))).message).to.contain("queue already exists");
  });
});

describe("a provisioned attribute of a queue", () => {
  const cases: [type: string, input: string, attribute: string][] = [
    [queuePolicy, "policy", "Policy"],
    ["aws:sqs/redrivePolicy:RedrivePolicy", "redrivePolicy", "RedrivePolicy"],
    ["aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "redriveAllowPolicy", "RedriveAllowPolicy"],
  ];
  for (const [type, input, attribute] of cases) {
    it(`${attribute} is set, changed and removed`, async () => {
      const { messaging, resource, create, update } = await start();
      const { id: url, arn } = (await create(queue, { name: "queue" })) as Properties & { id: string };
      const value = (count: number) =>
        attribute === "RedriveAllowPolicy"
          ? JSON.stringify({ redrivePermission: "byQueue", sourceQueueArns: Array.from({ length: count }, () => arn) })
          : JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: count });
      const olds = await create(type, { queueUrl: url, [input]: value(1) });
      expect(messaging.queueAttributes(url)[attribute]).to.equal(value(1));
      await update(type, olds, { queueUrl: url, [input]: value(2) });
      expect(messaging.queueAttributes(url)[attribute]).to.equal(value(2));
      await resource(type).delete(olds.id, olds);
      expect(messaging.queueAttributes(url)).not.to.have.property(attribute);
    });
  }

  it("is refused on a queue that does not exist", async () => {
    const { messaging, create } = await start();
    const inputs = { queueUrl: messaging.queueUrl("gone"), policy: "{}" };
    expect((await refusal(create(queuePolicy, inputs))).message).to.contain("QueueDoesNotExist");
  });
});

describe("a provisioned topic", () => {
  it("is autonamed, changes in place and is deleted", async () => {
    const { sns, resource, create, update } = await start();
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
      const { create } = await start();
      expect((await refusal(create(topic, inputs))).message).to.match(message);
    });
  }

  it("does not have a name of 256 characters", async () => {
    const { create } = await start();
    await create(topic, { name: "t".repeat(256) });
  });
});

describe("a provisioned topic's policy", () => {
  for (const policy of ["{", "[]", "everyone"]) {
    it(`is refused where it is ${policy}`, async () => {
      const { create } = await start();
      const { id: arn } = await create(topic, {});
      const refused = [create(topic, { policy }), create("aws:sns/topicPolicy:TopicPolicy", { arn, policy })];
      for (const each of refused) {
        expect((await refusal(each)).message).to.include(`InvalidParameter: Invalid parameter: Policy ${policy}`);
      }
    });
  }
});

describe("a provisioned FIFO topic", () => {
  it("has a name that says so, and the scope of its throughput", async () => {
    const { messaging, create } = await start();
    const { id } = await create(topic, { fifoTopic: true, fifoThroughputScope: "MessageGroup" });
    expect(id).to.match(/:relay-[0-9a-f]{7}\.fifo$/);
    expect(messaging.topicAttributes(id)).to.deep.include({ FifoTopic: "true", FifoThroughputScope: "MessageGroup" });
  });

  it("is refused with a scope that there is not", async () => {
    const { create } = await start();
    const refused = create(topic, { fifoTopic: true, fifoThroughputScope: "messageGroup" });
    expect((await refusal(refused)).message).to.include("FifoThroughputScope messageGroup");
  });
});

describe("what a program asks of queues and topics", () => {
  it("is a topic's state by its ARN, and nothing where there is none", async () => {
    const { messaging, create, resource } = await start();
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
    const { messaging, create } = await start();
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
    const { sqs, sns, resource, create, update, subscriptionAttributes } = await start();
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
      const { create } = await start();
      const { id: topicArn } = await create(topic);
      const { arn } = (await create(queue)) as Properties;
      const given = { topic: topicArn, protocol: "sqs", endpoint: arn, ...inputs };
      expect((await refusal(create(subscription, given))).message).to.match(message);
    });
  }

  it("is refused with a queue under the AWS managed key, which SNS cannot use", async () => {
    const { create } = await start();
    const { id: topicArn } = await create(topic);
    const { arn } = (await create(queue, { kmsMasterKeyId: "alias/aws/sqs" })) as Properties;
    const given = { topic: topicArn, protocol: "sqs", endpoint: arn };
    expect((await refusal(create(subscription, given))).message).to.contain("alias/aws/sqs");
  });
});
