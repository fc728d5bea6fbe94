import { expect } from "chai";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { queue, queuePolicy, startMessagingResources } from "./messagingResources";

describe("a provisioned queue", () => {
  it("is autonamed, and has AWS's defaults", async () => {
    const { messaging, create, queueAttributes } = await startMessagingResources();
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
    const { create, queueAttributes } = await startMessagingResources();
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
    const { create, queueAttributes } = await startMessagingResources();
    const { id, ...outputs } = await create(queue, { fifoQueue: true, contentBasedDeduplication: true });
    expect((outputs as Properties)["name"]).to.match(/^relay-[0-9a-f]{7}\.fifo$/);
    expect(await queueAttributes(id)).to.include({ FifoQueue: "true", ContentBasedDeduplication: "true" });
  });

  it("changes in place, and takes its defaults back where an input is gone", async () => {
    const { create, update, queueAttributes } = await startMessagingResources();
    const olds = await create(queue, { name: "queue", visibilityTimeoutSeconds: 60, delaySeconds: 5 });
    const outputs = await update(queue, olds, { name: "queue", visibilityTimeoutSeconds: 90 });
    expect(outputs).to.include({ id: olds.id, name: "queue", visibilityTimeoutSeconds: 90, delaySeconds: 0 });
    expect(await queueAttributes(olds.id)).to.include({ VisibilityTimeout: "90", DelaySeconds: "0" });
  });

  it("keeps the policy of another resource when it changes", async () => {
    const { create, update, queueAttributes } = await startMessagingResources();
    const olds = await create(queue, { name: "queue" });
    await create(queuePolicy, { queueUrl: olds.id, policy: '{"Statement":[]}' });
    await update(queue, olds, { name: "queue", visibilityTimeoutSeconds: 90 });
    expect(await queueAttributes(olds.id)).to.include({ Policy: '{"Statement":[]}' });
  });

  it("is gone when it has been deleted", async () => {
    const { resource, create, queueAttributes } = await startMessagingResources();
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
      const { create } = await startMessagingResources();
      expect((await refusal(create(queue, inputs))).message).to.match(message);
    });
  }

  it("may have a name of 80 characters, a FIFO one its suffix included", async () => {
    const { create } = await startMessagingResources();
    await create(queue, { name: "q".repeat(80) });
    await create(queue, { name: `${"q".repeat(75)}.fifo`, fifoQueue: true });
  });

  it("is named by its prefix", async () => {
    const { create } = await startMessagingResources();
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
      const { create } = await startMessagingResources();
      const dead = await create(queue, { name: "dead", redriveAllowPolicy: JSON.stringify(permission) });
      const redrivePolicy = JSON.stringify({ deadLetterTargetArn: dead["arn"], maxReceiveCount: 5 });
      const source = create(queue, { name: "source", redrivePolicy });
      if (isAllowed) expect(await source).to.include({ name: "source" });
      else expect((await refusal(source)).message).to.match(/does not allow redrive/);
    });
  }

  it("is refused under a name that is taken", async () => {
    const { create } = await startMessagingResources();
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
      const { messaging, resource, create, update } = await startMessagingResources();
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
    const { messaging, create } = await startMessagingResources();
    const inputs = { queueUrl: messaging.queueUrl("gone"), policy: "{}" };
    expect((await refusal(create(queuePolicy, inputs))).message).to.contain("QueueDoesNotExist");
  });
});
