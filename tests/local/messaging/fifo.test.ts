import { PublishBatchCommand, PublishCommand, type PublishCommandInput } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { startMessaging } from "./messagingSetUp";

const anybody = JSON.stringify({
  Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }],
});

/** A FIFO topic with a FIFO queue, that queue's dead-letter queue, and the subscription's. */
async function start(
  attributes: { queue?: Record<string, string>; topic?: Record<string, string>; queuePolicy?: string } = {},
) {
  const lines: string[] = [];
  const { messaging, sqs, sns } = await startMessaging({ log: (line) => lines.push(line) });
  const topicArn = messaging.createTopic("topic.fifo", attributes.topic ?? {});
  const dead = messaging.createQueue("dead.fifo", {});
  const undelivered = messaging.createQueue("undelivered.fifo", { Policy: anybody });
  const { queuePolicy = anybody } = attributes;
  const queue = messaging.createQueue("queue.fifo", {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 3 }),
    ...(queuePolicy && { Policy: queuePolicy }),
    ...attributes.queue,
  });
  messaging.subscribe(topicArn, queue.arn, {
    RawMessageDelivery: "true",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: undelivered.arn }),
  });
  const send = (MessageBody: string, group = "g", more: Partial<SendMessageCommandInput> = {}) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queue.url,
        MessageBody,
        MessageGroupId: group,
        MessageDeduplicationId: `${group}-${MessageBody}`,
        ...more,
      }),
    );
  const publish = (Message: string, more: Partial<PublishCommandInput> = {}) =>
    sns.send(new PublishCommand({ TopicArn: topicArn, Message, MessageGroupId: "g", ...more }));
  const receive = async (QueueUrl = queue.url, most = 10): Promise<Message[]> => {
    const all = { MaxNumberOfMessages: most, MessageSystemAttributeNames: ["All" as const] };
    return (await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...all }))).Messages ?? [];
  };
  const show = ({ ReceiptHandle }: Message, QueueUrl = queue.url) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const remove = ({ ReceiptHandle }: Message, QueueUrl = queue.url) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return { messaging, sqs, sns, topicArn, queue, dead, undelivered, lines, send, publish, receive, show, remove };
}

const bodies = (messages: Message[]) => messages.map(({ Body }) => Body);

describe("a FIFO queue", () => {
  it("gives as many messages of a group at once as were asked for, in order, and then those of another", async () => {
    const { send, receive } = await start();
    for (const body of ["1", "2", "3"]) await send(body, "a");
    for (const body of ["4", "5"]) await send(body, "b");
    expect(bodies(await receive(undefined, 2))).to.deep.equal(["1", "2"]);
    expect(bodies(await receive())).to.deep.equal(["4", "5"]);
  });

  it("gives no message of a group while one of it is in flight, whichever", async () => {
    const { send, receive, show, remove } = await start();
    for (const body of ["1", "2", "3"]) await send(body);
    const [first, second] = await receive(undefined, 2);
    expect(bodies(await receive())).to.deep.equal([]);
    await show(second as Message);
    expect(bodies(await receive())).to.deep.equal([]);
    await remove(first as Message);
    expect(bodies(await receive())).to.deep.equal(["2", "3"]);
  });

  for (const [name, order] of Object.entries({
    "in order": [0, 1, 2],
    "in reverse": [2, 1, 0],
    "mixed up": [1, 2, 0],
  })) {
    it(`gives a group's messages in order again, where they became visible ${name}`, async () => {
      const { send, receive, show } = await start();
      for (const body of ["1", "2", "3"]) await send(body);
      const received = await receive();
      for (const index of order) await show(received[index] as Message);
      await send("4");
      expect(bodies(await receive())).to.deep.equal(["1", "2", "3", "4"]);
    });
  }

  it("gives them in order again, where their visibility timeout ended", async () => {
    const { send, receive } = await start({ queue: { VisibilityTimeout: "0" } });
    for (const body of ["1", "2", "3"]) await send(body);
    await receive();
    expect(bodies(await receive())).to.deep.equal(["1", "2", "3"]);
  });

  it("says group, deduplication id and sequence number of a message, which rises", async () => {
    const { send, receive } = await start();
    const { SequenceNumber } = await send("1");
    await send("2");
    const [first, second] = await receive();
    expect(first?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "g-1", SequenceNumber });
    expect(SequenceNumber).to.match(/^\d{20}$/);
    expect(String(second?.Attributes?.SequenceNumber) > String(SequenceNumber)).to.equal(true);
  });

  it("moves to its dead-letter queue what was received too often, with its group, and gives what comes after it", async () => {
    const { send, receive, show, dead } = await start();
    for (const body of ["1", "2"]) await send(body);
    for (const count of ["1", "2", "3"]) {
      const [first] = await receive(undefined, 1);
      expect(first?.Attributes).to.include({ ApproximateReceiveCount: count });
      await show(first as Message);
    }
    expect(bodies(await receive(undefined, 1))).to.deep.equal(["2"]);
    const [letter] = await receive(dead.url);
    expect(letter).to.deep.include({ Body: "1" });
    expect(letter?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "g-1" });
  });

  it("takes a message once within five minutes, also after it was received and deleted", async () => {
    const { send, receive, remove } = await start();
    const { MessageId } = await send("1");
    const [message] = await receive();
    await remove(message as Message);
    expect((await send("1")).MessageId).to.equal(MessageId);
    expect(await receive()).to.deep.equal([]);
  });

  const scopes: [name: string, queue: Record<string, string>, received: number][] = [
    ["the whole queue", {}, 1],
    ["a group, where it says so", { DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" }, 2],
  ];
  for (const [name, queue, received] of scopes) {
    it(`compares deduplication ids within ${name}`, async () => {
      const { send, receive } = await start({ queue });
      for (const group of ["a", "b"]) await send("m", group, { MessageDeduplicationId: "same" });
      expect(await receive()).to.have.length(received);
    });
  }

  it("hashes the body, and the body alone, where its deduplication is by content", async () => {
    const { send, receive } = await start({ queue: { ContentBasedDeduplication: "true" } });
    for (const body of ["same", "same", "other"]) await send(body, "g", { MessageDeduplicationId: undefined });
    expect(bodies(await receive())).to.deep.equal(["same", "other"]);
  });

  const refused: [name: string, message: Partial<SendMessageCommandInput>, code: string, reason: RegExp][] = [
    ["without a group", { MessageGroupId: undefined }, "MissingParameter", /MessageGroupId/],
    ["without a deduplication id", { MessageDeduplicationId: undefined }, "InvalidParameterValue", /ContentBased/],
    ["with a deduplication id with a space", { MessageDeduplicationId: "a b" }, "InvalidParameterValue", /1 to 128/],
    ["with one that is too long", { MessageDeduplicationId: "x".repeat(129) }, "InvalidParameterValue", /1 to 128/],
    ["with a delay of its own", { DelaySeconds: 1 }, "InvalidParameterValue", /DelaySeconds/],
  ];
  for (const [name, message, code, reason] of refused) {
    it(`refuses a message ${name}`, async () => {
      const { send } = await start();
      const error = await refusal(send("m", "g", message));
      // fauxqs's own refusals have the query protocol's names.
      expect(error.name.replace("AWS.SimpleQueueService.", "")).to.equal(code);
      expect(error.message).to.match(reason);
    });
  }

  it("refuses an entry of a batch without a group", async () => {
    const { sqs, queue } = await start();
    const Entries = [{ Id: "1", MessageBody: "m", MessageDeduplicationId: "d" }];
    const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    expect(Failed?.[0]).to.include({ Id: "1", Code: "MissingParameter" });
  });

  it("is the only kind that takes a deduplication id", async () => {
    const { messaging, sqs } = await start();
    const { url: QueueUrl } = messaging.createQueue("standard", {});
    const error = await refusal(
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "m", MessageDeduplicationId: "d" })),
    );
    expect(error.name).to.equal("InvalidParameterValue");
    expect(error.message).to.match(/not valid for this queue type/);
  });

  const attributes: [name: string, queueName: string, attributes: Record<string, string>, reason: RegExp][] = [
    [
      "throughput by group without deduplication by group",
      "q.fifo",
      { FifoThroughputLimit: "perMessageGroupId" },
      /Scope/,
    ],
    ["another scope", "q.fifo", { DeduplicationScope: "topic" }, /queue or messageGroup/],
    ["another limit", "q.fifo", { FifoThroughputLimit: "perTopic" }, /perQueue or perMessageGroupId/],
    ["a scope of a standard queue", "q", { DeduplicationScope: "messageGroup" }, /no FIFO queue/],
    ["deduplication by content of a standard queue", "q", { ContentBasedDeduplication: "true" }, /no FIFO queue/],
  ];
  for (const [name, queueName, given, reason] of attributes) {
    it(`is not made with ${name}`, async () => {
      const { messaging } = await start();
      expect(() => messaging.createQueue(queueName, given)).to.throw(reason);
    });
  }
});

describe("a FIFO topic", () => {
  it("hands over in order, with group and deduplication id", async () => {
    const { publish, receive } = await start();
    for (const body of ["1", "2"]) await publish(body, { MessageDeduplicationId: body });
    const received = await receive();
    expect(bodies(received)).to.deep.equal(["1", "2"]);
    expect(received[0]?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "1" });
    expect(received[0]?.Attributes?.SequenceNumber).to.match(/^\d{20}$/);
  });

  it("hands over a batch in order", async () => {
    const { sns, topicArn, receive } = await start();
    const entry = (Id: string) => ({ Id, Message: Id, MessageGroupId: "g", MessageDeduplicationId: Id });
    const PublishBatchRequestEntries = ["1", "2", "3"].map(entry);
    await sns.send(new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries }));
    expect(bodies(await receive())).to.deep.equal(["1", "2", "3"]);
  });

  const scopes: [name: string, topic: Record<string, string>, received: number][] = [
    ["the whole topic", {}, 1],
    ["a group, where it says so", { FifoThroughputScope: "MessageGroup" }, 2],
  ];
  for (const [name, topic, received] of scopes) {
    it(`takes a message once within ${name}`, async () => {
      const queue = { DeduplicationScope: "messageGroup" };
      const { publish, receive } = await start({ topic, queue });
      for (const MessageGroupId of ["a", "b", "a"]) {
        const { MessageId } = await publish("m", { MessageGroupId, MessageDeduplicationId: "same" });
        expect(MessageId).to.be.a("string");
      }
      expect(await receive()).to.have.length(received);
    });
  }

  it("sends to the subscription's dead-letter queue in the group, in order", async () => {
    const { publish, receive, undelivered, lines } = await start({ queuePolicy: "" });
    for (const body of ["1", "2"]) await publish(body, { MessageDeduplicationId: body });
    const letters = await receive(undelivered.url);
    expect(bodies(letters)).to.deep.equal(["1", "2"]);
    expect(letters[0]?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "1" });
    expect(lines).to.have.length(2);
  });

  it("feeds a standard queue, too, which does not get the group", async () => {
    const { messaging, publish, receive, topicArn } = await start();
    const standard = messaging.createQueue("standard", { Policy: anybody });
    messaging.subscribe(topicArn, standard.arn, { RawMessageDelivery: "true" });
    await publish("m", { MessageDeduplicationId: "d" });
    const [message] = await receive(standard.url);
    expect(message).to.include({ Body: "m" });
    expect(message?.Attributes).not.to.have.any.keys("MessageGroupId", "MessageDeduplicationId", "SequenceNumber");
  });

  const refused: [name: string, message: Partial<PublishCommandInput>, reason: RegExp][] = [
    ["without a group", { MessageGroupId: undefined, MessageDeduplicationId: "d" }, /MessageGroupId.*required/],
    ["without a deduplication id", {}, /ContentBasedDeduplication enabled or MessageDeduplicationId/],
    ["with a deduplication id with a space", { MessageDeduplicationId: "a b" }, /1 to 128/],
  ];
  for (const [name, message, reason] of refused) {
    it(`refuses a message ${name}, and takes it for no duplicate of what is sent right after it`, async () => {
      const { publish, receive } = await start();
      const error = await refusal(publish("m", message));
      expect(error.name).to.equal("InvalidParameterException");
      expect(error.message).to.match(reason);
      await publish("m", { MessageDeduplicationId: "d" });
      expect(await receive()).to.have.length(1);
    });
  }

  it("is the only kind that takes a deduplication id", async () => {
    const { messaging, publish } = await start();
    const TopicArn = messaging.createTopic("standard", {});
    const error = await refusal(publish("m", { TopicArn, MessageDeduplicationId: "d" }));
    expect(error.name).to.equal("InvalidParameterException");
    expect(error.message).to.match(/not valid for this topic type/);
  });

  it("has a FIFO dead-letter queue for the subscription of a FIFO queue", async () => {
    const { messaging, topicArn } = await start();
    const { arn: queueArn } = messaging.createQueue("another.fifo", {});
    const { arn: deadLetterTargetArn } = messaging.createQueue("standard", {});
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn });
    const reason = /must use a FIFO queue as DLQ for a FIFO Subscription/;
    expect(() => messaging.subscribe(topicArn, queueArn, { RedrivePolicy })).to.throw(reason);
    const subscription = messaging.subscribe(topicArn, queueArn, {});
    expect(() => messaging.setSubscriptionAttributes(subscription, { RedrivePolicy })).to.throw(reason);
  });

  it("is the only kind whose subscriptions have one", async () => {
    const { messaging, dead } = await start();
    const topicArn = messaging.createTopic("standard", {});
    const { arn: queueArn } = messaging.createQueue("standard", {});
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn });
    expect(() => messaging.subscribe(topicArn, queueArn, { RedrivePolicy })).to.throw(/standard topic cannot send/);
  });

  const attributes: [name: string, topicName: string, attributes: Record<string, string>, reason: RegExp][] = [
    ["another scope", "t.fifo", { FifoThroughputScope: "messageGroup" }, /neither Topic nor MessageGroup/],
    ["a scope of a standard topic", "t", { FifoThroughputScope: "Topic" }, /only a FIFO topic/],
  ];
  for (const [name, topicName, given, reason] of attributes) {
    it(`is not made with ${name}`, async () => {
      const { messaging } = await start();
      expect(() => messaging.createTopic(topicName, given)).to.throw(reason);
    });
  }
});
