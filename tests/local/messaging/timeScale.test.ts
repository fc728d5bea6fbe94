import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { startObserved } from "./observed";

describe("time compression", () => {
  // 12 hours last 0.1 s: nothing here would end within a test otherwise.
  const timeScale = 432_000;

  it("divides the queue's own visibility timeout, which is still shown as it was set", async () => {
    const { messaging, sqs, receive } = await startObserved({ timeScale });
    const { url } = messaging.createQueue("queue", { VisibilityTimeout: "43200" });
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url);
    expect((await receive(url))[0]?.Attributes?.["ApproximateReceiveCount"]).to.equal("2");
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["VisibilityTimeout"] }),
    );
    expect(Attributes).to.deep.equal({ VisibilityTimeout: "43200" });
  });

  it("divides the visibility timeout of a receive", async () => {
    const { messaging, sqs, receive } = await startObserved({ timeScale });
    const { url } = messaging.createQueue("queue", {});
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url, { VisibilityTimeout: 43_200 });
    expect(await receive(url)).to.have.length(1);
  });

  for (const isBatch of [false, true]) {
    it(`divides a change of visibility${isBatch ? " in a batch" : ""}`, async () => {
      // The queue's own visibility timeout is the longest that would still outlast the test.
      const { messaging, sqs, receive } = await startObserved({ timeScale: 200 });
      const { url } = messaging.createQueue("queue", { VisibilityTimeout: "43200" });
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
      const [message] = await receive(url);
      const change = { ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 120 };
      await (isBatch
        ? sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries: [{ Id: "1", ...change }] }))
        : sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ...change })));
      expect(await receive(url)).to.have.length(1);
    });
  }

  it("divides the delay of the queue and of a message", async () => {
    const { messaging, sqs, receive } = await startObserved({ timeScale: 9000 });
    const { url } = messaging.createQueue("queue", { DelaySeconds: "900", VisibilityTimeout: "43200" });
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "the queue's" }));
    expect((await receive(url)).map(({ Body }) => Body)).to.deep.equal(["the queue's"]);
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "its own", DelaySeconds: 600 }));
    expect((await receive(url)).map(({ Body }) => Body)).to.deep.equal(["its own"]);
  });

  it("leaves times as they are without a scale", async () => {
    const { messaging, sqs, receive, counts } = await startObserved();
    const { url } = messaging.createQueue("queue", {});
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello", DelaySeconds: 900 }));
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url);
    expect(await counts(url)).to.deep.equal([0, 1, 1]);
  });
});
