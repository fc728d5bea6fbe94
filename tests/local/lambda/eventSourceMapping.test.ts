import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { EventEmitter, once } from "node:events";
import { failure, functionArn, startMapped, success } from "./mappingFixture";

describe("an event source mapping", () => {
  it("gives the function messages as Lambda does", async () => {
    const { invoker, map, send, queue } = await startMapped();
    await map().ready;
    await send("hello", {
      MessageAttributes: {
        user: { DataType: "String", StringValue: "ana" },
        bytes: { DataType: "Binary", BinaryValue: Buffer.from("b") },
      },
    });
    const { event, answer } = await invoker.next();
    answer(success);
    const [record] = event.Records;
    expect(record).to.have.keys(
      "messageId receiptHandle body attributes messageAttributes md5OfBody eventSource eventSourceARN awsRegion".split(
        " ",
      ),
    );
    expect(record).to.include({
      body: "hello",
      md5OfBody: "5d41402abc4b2a76b9719d911017c592",
      eventSource: "aws:sqs",
      eventSourceARN: queue.arn,
      awsRegion: "us-east-1",
    });
    expect(record?.attributes).to.include({ ApproximateReceiveCount: "1", SenderId: "000000000000" });
    expect(record?.attributes.SentTimestamp).to.match(/^\d{13}$/);
    expect(record?.attributes.ApproximateFirstReceiveTimestamp).to.match(/^\d{13}$/);
    expect(record?.messageAttributes).to.deep.equal({
      user: { stringValue: "ana", stringListValues: [], binaryListValues: [], dataType: "String" },
      bytes: { binaryValue: "Yg==", stringListValues: [], binaryListValues: [], dataType: "Binary" },
    });
  });

  it("deletes the messages of a batch that succeeded", async () => {
    const { invoker, map, sendMany, counts, labels } = await startMapped();
    await sendMany(3);
    const mapping = map();
    const { bodies, answer } = await invoker.next();
    expect(bodies).to.deep.equal(["0", "1", "2"]);
    expect(await counts()).to.deep.equal([0, 3]);
    answer(success);
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 0]);
    expect(labels).to.deep.equal(["Publisher -> Lambda: batch of 3, attempt 1"]);
  });

  it("keeps the messages of a batch whose function failed until their visibility timeout ends", async () => {
    const { invoker, map, send, counts, lines, labels } = await startMapped({ timeScale: 600 });
    const mapping = map();
    await send("hello");
    (await invoker.next()).answer(failure);
    const again = await invoker.next();
    expect(again.bodies).to.deep.equal(["hello"]);
    again.answer(success);
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 0]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain(functionArn).and.contain("handler threw");
    expect(labels.at(-1)).to.equal("Publisher -> Lambda: batch of 1, attempt 2");
  });

  it("keeps the messages of a batch whose function could not be invoked", async () => {
    const { map, send, counts, lines } = await startMapped();
    const invoked = new EventEmitter();
    const invoke = () => {
      invoked.emit("invoked");
      return Promise.reject(new Error("no such function"));
    };
    const wasInvoked = once(invoked, "invoked");
    const mapping = map({ invoker: { invoke } });
    await send("hello");
    await wasInvoked;
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 1]);
    expect(lines[0]).to.contain("no such function");
  });

  it("keeps what ReportBatchItemFailures names and deletes the rest", async () => {
    const { invoker, map, sendMany, counts } = await startMapped();
    await sendMany(3);
    const mapping = map({ functionResponseTypes: ["ReportBatchItemFailures"] });
    const { event, answer } = await invoker.next();
    answer({ payload: { batchItemFailures: [{ itemIdentifier: event.Records[1]?.messageId }] } });
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 1]);
  });

  it("deletes all where batchItemFailures is answered without ReportBatchItemFailures", async () => {
    const { invoker, map, send, counts } = await startMapped();
    await send("hello");
    const mapping = map();
    const { event, answer } = await invoker.next();
    answer({ payload: { batchItemFailures: [{ itemIdentifier: event.Records[0]?.messageId }] } });
    await mapping.stop();
    expect(await counts()).to.deep.equal([0, 0]);
  });

  it("takes no message while as many invocations run as may", async () => {
    const { invoker, map, sendMany, counts } = await startMapped();
    await sendMany(4);
    const mapping = map({ batchSize: 1, maximumConcurrency: 2 });
    const first = await invoker.next();
    const second = await invoker.next();
    expect(invoker.running).to.equal(2);
    expect(await counts()).to.deep.equal([2, 2]);
    first.answer(success);
    const third = await invoker.next();
    expect(invoker.running).to.equal(2);
    expect(await counts()).to.deep.equal([1, 2]);
    const stopped = mapping.stop();
    for (const { answer } of [second, third]) answer(success);
    await stopped;
  });

  it("fills a batch beyond one receive within the window", async () => {
    const { invoker, map, sendMany } = await startMapped();
    await sendMany(25);
    map({ batchSize: 25, maximumBatchingWindowInSeconds: 300 });
    const { bodies, answer } = await invoker.next();
    expect(bodies).to.have.length(25);
    answer(success);
  });

  it("sends what it has when the window ends", async () => {
    const { invoker, map, send } = await startMapped({ timeScale: 10 });
    map({ batchSize: 100, maximumBatchingWindowInSeconds: 1 });
    await send("hello");
    const { bodies, answer } = await invoker.next();
    expect(bodies).to.deep.equal(["hello"]);
    answer(success);
  });

  it("hands over at once, when it stops, what it has received within a window", async () => {
    const { invoker, map, send, counts } = await startMapped();
    const mapping = map({ batchSize: 100, maximumBatchingWindowInSeconds: 300 });
    await send("hello");
    while ((await counts())[1] === 0);
    const stopped = mapping.stop();
    (await invoker.next()).answer(success);
    await stopped;
    expect(await counts()).to.deep.equal([0, 0]);
  });

  describe("from a FIFO queue", () => {
    const startFifo = async () => {
      const started = await startMapped({ queueName: "queue.fifo" });
      const send = (body: string, group: string) =>
        started.send(body, { MessageGroupId: group, MessageDeduplicationId: body });
      return { ...started, send };
    };

    it("hands over a group's messages in order, with group, deduplication id and sequence number", async () => {
      const { invoker, map, send } = await startFifo();
      for (const body of ["1", "2"]) await send(body, "g");
      map();
      const { bodies, event, answer } = await invoker.next();
      expect(bodies).to.deep.equal(["1", "2"]);
      expect(event.Records[1]?.attributes).to.include({
        MessageGroupId: "g",
        MessageDeduplicationId: "2",
        SequenceNumber: "2".padStart(20, "0"),
      });
      answer(success);
    });

    it("never has a group's messages in two invocations at once, but those of others", async () => {
      const { invoker, map, send } = await startFifo();
      for (const body of ["a1", "a2"]) await send(body, "a");
      map({ batchSize: 1 });
      const first = await invoker.next();
      await send("b1", "b");
      const other = await invoker.next();
      expect([first.bodies, other.bodies]).to.deep.equal([["a1"], ["b1"]]);
      expect(invoker.running).to.equal(2);
      first.answer(success);
      const second = await invoker.next();
      expect(second.bodies).to.deep.equal(["a2"]);
      for (const { answer } of [other, second]) answer(success);
    });

    it("hands over what has failed, and what was held back with it, before what came later", async () => {
      const { invoker, map, send, sqs, queue } = await startFifo();
      for (const body of ["1", "2", "3"]) await send(body, "g");
      map();
      const { event, answer } = await invoker.next();
      await send("4", "g");
      // The later ones become visible first.
      for (const { receiptHandle: ReceiptHandle } of [...event.Records].reverse()) {
        const change = { QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout: 0 };
        await sqs.send(new ChangeMessageVisibilityCommand(change));
        if (ReceiptHandle === event.Records[1]?.receiptHandle) expect(invoker.running).to.equal(1);
      }
      const batchItemFailures = event.Records.map(({ messageId }) => ({ itemIdentifier: messageId }));
      answer({ payload: { batchItemFailures } });
      const again = await invoker.next();
      expect(again.bodies).to.deep.equal(["1", "2", "3", "4"]);
      again.answer(success);
    });
  });

  it("polls nothing while it is disabled, and again when it is enabled", async () => {
    const { invoker, map, send, counts } = await startMapped();
    const mapping = map({ enabled: false });
    await mapping.ready;
    await send("hello");
    expect(await counts()).to.deep.equal([1, 0]);
    await mapping.update({ functionArn });
    (await invoker.next()).answer(success);
    await mapping.update({ functionArn, enabled: false });
    await send("hello");
    expect((await counts())[0]).to.equal(1);
  });

  it("changes its batch size in place", async () => {
    const { invoker, map, sendMany } = await startMapped();
    const mapping = map({ enabled: false });
    await sendMany(3);
    await mapping.update({ functionArn, batchSize: 2 });
    const batches = [await invoker.next(), await invoker.next()];
    expect(batches.map(({ bodies }) => bodies)).to.deep.equal([["0", "1"], ["2"]]);
    for (const { answer } of batches) answer(success);
  });

  it("stops in the middle of a long poll, and takes no message after that", async () => {
    const { invoker, map, send, counts } = await startMapped();
    const mapping = map();
    await mapping.ready;
    await mapping.stop();
    await send("hello");
    expect(await counts()).to.deep.equal([1, 0]);
    expect(invoker.running).to.equal(0);
  });

  it("says once that it cannot poll, and stops all the same", async () => {
    const { messaging, map, lines } = await startMapped();
    await messaging.close();
    const mapping = map();
    await mapping.ready;
    while (lines.length === 0) await new Promise(setImmediate);
    await mapping.stop();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain("polling").and.contain("ECONNREFUSED");
  });
});
