import { PublishBatchCommand, type PublishCommandInput } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { anyone, bodies, startFifo } from "./fifoSetUp";

describe("a FIFO topic", () => {
  it("hands over in order, with group and deduplication id", async () => {
    const { publish, receive } = await startFifo();
    for (const body of ["1", "2"]) await publish(body, { MessageDeduplicationId: body });
    const received = await receive();
    expect(bodies(received)).to.deep.equal(["1", "2"]);
    expect(received[0]?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "1" });
    expect(received[0]?.Attributes?.SequenceNumber).to.match(/^\d{20}$/);
  });

  it("hands over a batch in order", async () => {
    const { sns, topicArn, receive } = await startFifo();
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
      const { publish, receive } = await startFifo({ topic, queue });
      for (const MessageGroupId of ["a", "b", "a"]) {
        const { MessageId } = await publish("m", { MessageGroupId, MessageDeduplicationId: "same" });
        expect(MessageId).to.be.a("string");
      }
      expect(await receive()).to.have.length(received);
    });
  }

  it("sends to the subscription's dead-letter queue in the group, in order", async () => {
    const { publish, receive, undelivered, lines } = await startFifo({ queuePolicy: "" });
    for (const body of ["1", "2"]) await publish(body, { MessageDeduplicationId: body });
    const deadLetters = await receive(undelivered.url);
    expect(bodies(deadLetters)).to.deep.equal(["1", "2"]);
    expect(deadLetters[0]?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "1" });
    expect(lines).to.have.length(2);
  });

  it("feeds a standard queue, too, which does not get the group", async () => {
    const { messaging, publish, receive, topicArn } = await startFifo();
    const standard = messaging.createQueue("standard", { Policy: anyone });
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
      const { publish, receive } = await startFifo();
      const error = await refusal(publish("m", message));
      expect(error.name).to.equal("InvalidParameterException");
      expect(error.message).to.match(reason);
      await publish("m", { MessageDeduplicationId: "d" });
      expect(await receive()).to.have.length(1);
    });
  }

  it("is the only kind that takes a deduplication id", async () => {
    const { messaging, publish } = await startFifo();
    const TopicArn = messaging.createTopic("standard", {});
    const error = await refusal(publish("m", { TopicArn, MessageDeduplicationId: "d" }));
    expect(error.name).to.equal("InvalidParameterException");
    expect(error.message).to.match(/not valid for this topic type/);
  });

  it("has a FIFO dead-letter queue for the subscription of a FIFO queue", async () => {
    const { messaging, topicArn } = await startFifo();
    const { arn: queueArn } = messaging.createQueue("another.fifo", {});
    const { arn: deadLetterTargetArn } = messaging.createQueue("standard", {});
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn });
    const reason = /must use a FIFO queue as DLQ for a FIFO Subscription/;
    expect(() => messaging.subscribe(topicArn, queueArn, { RedrivePolicy })).to.throw(reason);
    const subscription = messaging.subscribe(topicArn, queueArn, {});
    expect(() => messaging.setSubscriptionAttributes(subscription, { RedrivePolicy })).to.throw(reason);
  });

  it("is the only kind whose subscriptions have one", async () => {
    const { messaging, dead } = await startFifo();
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
      const { messaging } = await startFifo();
      expect(() => messaging.createTopic(topicName, given)).to.throw(reason);
    });
  }
});
