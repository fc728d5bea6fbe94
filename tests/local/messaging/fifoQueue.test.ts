import {
  type Message,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { bodies, startFifo } from "./fifoSetUp";

describe("a FIFO queue", () => {
  it("gives as many messages of a group at once as were asked for, in order, and then those of another", async () => {
    const { send, receive } = await startFifo();
    for (const body of ["1", "2", "3"]) await send(body, "a");
    for (const body of ["4", "5"]) await send(body, "b");
    expect(bodies(await receive(undefined, 2))).to.deep.equal(["1", "2"]);
    expect(bodies(await receive())).to.deep.equal(["4", "5"]);
  });

  it("gives no message of a group while one of it is in flight, whichever", async () => {
    const { send, receive, show, remove } = await startFifo();
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
      const { send, receive, show } = await startFifo();
      for (const body of ["1", "2", "3"]) await send(body);
      const received = await receive();
      for (const index of order) await show(received[index] as Message);
      await send("4");
      expect(bodies(await receive())).to.deep.equal(["1", "2", "3", "4"]);
    });
  }

  it("gives them in order again, where their visibility timeout ended", async () => {
    const { send, receive } = await startFifo({ queue: { VisibilityTimeout: "0" } });
    for (const body of ["1", "2", "3"]) await send(body);
    await receive();
    expect(bodies(await receive())).to.deep.equal(["1", "2", "3"]);
  });

  it("says group, deduplication id and sequence number of a message, which rises", async () => {
    const { send, receive } = await startFifo();
    const { SequenceNumber } = await send("1");
    await send("2");
    const [first, second] = await receive();
    expect(first?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "g-1", SequenceNumber });
    expect(SequenceNumber).to.match(/^\d{20}$/);
    expect(String(second?.Attributes?.SequenceNumber) > String(SequenceNumber)).to.equal(true);
  });

  it("moves to its dead-letter queue what was received too often, with its group, and gives what comes after it", async () => {
    const { send, receive, show, dead } = await startFifo();
    for (const body of ["1", "2"]) await send(body);
    for (const count of ["1", "2", "3"]) {
      const [first] = await receive(undefined, 1);
      expect(first?.Attributes).to.include({ ApproximateReceiveCount: count });
      await show(first as Message);
    }
    expect(bodies(await receive(undefined, 1))).to.deep.equal(["2"]);
    const [deadLetter] = await receive(dead.url);
    expect(deadLetter).to.deep.include({ Body: "1" });
    expect(deadLetter?.Attributes).to.include({ MessageGroupId: "g", MessageDeduplicationId: "g-1" });
  });

  it("takes a message once within five minutes, also after it was received and deleted", async () => {
    const { send, receive, remove } = await startFifo();
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
      const { send, receive } = await startFifo({ queue });
      for (const group of ["a", "b"]) await send("m", group, { MessageDeduplicationId: "same" });
      expect(await receive()).to.have.length(received);
    });
  }

  it("hashes the body, and the body alone, where its deduplication is by content", async () => {
    const { send, receive } = await startFifo({ queue: { ContentBasedDeduplication: "true" } });
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
      const { send } = await startFifo();
      const error = await refusal(send("m", "g", message));
      // fauxqs's own refusals have the query protocol's names.
      expect(error.name.replace("AWS.SimpleQueueService.", "")).to.equal(code);
      expect(error.message).to.match(reason);
    });
  }

  it("refuses an entry of a batch without a group", async () => {
    const { sqs, queue } = await startFifo();
    const Entries = [{ Id: "1", MessageBody: "m", MessageDeduplicationId: "d" }];
    const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    expect(Failed?.[0]).to.include({ Id: "1", Code: "MissingParameter" });
  });

  it("is the only kind that takes a deduplication id", async () => {
    const { messaging, sqs } = await startFifo();
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
      const { messaging } = await startFifo();
      expect(() => messaging.createQueue(queueName, given)).to.throw(reason);
    });
  }
});
