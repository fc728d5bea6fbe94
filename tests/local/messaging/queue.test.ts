import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { attributes, redrive, startObserved } from "./observed";

describe("a queue", () => {
  it("has a URL that names the address it is served at", async () => {
    const { messaging, sqs } = await startObserved();
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "queue" }));
    expect(QueueUrl).to.equal(`${messaging.endpoint}/000000000000/queue`);
    expect(messaging.endpoint).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
  });

  it("refuses a message with more than 10 attributes", async () => {
    const { messaging, sqs } = await startObserved();
    const { url } = messaging.createQueue("queue", {});
    const message = { MessageBody: "hello", MessageAttributes: attributes(11) };
    const alone = await refusal(sqs.send(new SendMessageCommand({ QueueUrl: url, ...message })));
    expect(alone).to.include({ name: "InvalidParameterValue" });
    expect(alone.message).to.contain("[11]");
    const Entries = [
      { Id: "1", ...message },
      { Id: "2", MessageBody: "hello" },
    ];
    const { Successful, Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["2"]);
    expect(Failed).to.have.length(1);
    expect(Failed?.[0]).to.include({ Id: "1", Code: "InvalidParameterValue", SenderFault: true });
  });

  it("refuses a delay above 15 minutes", async () => {
    const { messaging, sqs } = await startObserved();
    const { url } = messaging.createQueue("queue", {});
    const command = new SendMessageCommand({ QueueUrl: url, MessageBody: "hello", DelaySeconds: 901 });
    expect((await refusal(sqs.send(command))).message).to.contain("901");
  });

  for (const seconds of [1.5, -1, 43_201]) {
    it(`refuses a visibility timeout of ${seconds}`, async () => {
      const { messaging, sqs } = await startObserved({ timeScale: 10 });
      const { url } = messaging.createQueue("queue", {});
      const change = { ReceiptHandle: "handle", VisibilityTimeout: seconds };
      for (const request of [
        sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ...change })),
        sqs.send(new ReceiveMessageCommand({ QueueUrl: url, VisibilityTimeout: seconds })),
      ]) {
        const error = await refusal(request);
        expect(error).to.include({ name: "InvalidParameterValue" });
        expect(error.message).to.contain(String(seconds));
      }
      const { Failed } = await sqs.send(
        new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries: [{ Id: "1", ...change }] }),
      );
      expect(Failed?.[0]).to.include({ Id: "1", Code: "InvalidParameterValue" });
      expect(Failed?.[0]?.Message).to.contain(String(seconds));
    });
  }

  const attributeRefusals: [claim: string, attributes: Record<string, string>, message: RegExp][] = [
    ["a retention below a minute", { MessageRetentionPeriod: "59" }, /MessageRetentionPeriod.*59.*60 and 1209600/],
    ["a retention above 14 days", { MessageRetentionPeriod: "1209601" }, /1209601/],
    ["a visibility timeout above 12 hours", { VisibilityTimeout: "43201" }, /43201.*0 and 43200/],
    ["a negative visibility timeout", { VisibilityTimeout: "-1" }, /-1/],
    ["a delay above 15 minutes", { DelaySeconds: "901" }, /901.*0 and 900/],
    ["a wait above 20 seconds", { ReceiveMessageWaitTimeSeconds: "21" }, /21.*0 and 20/],
    ["a maximum size below 1 KiB", { MaximumMessageSize: "1023" }, /1023/],
    ["a policy that is not JSON", { Policy: "{" }, /Policy/],
    ["a maxReceiveCount of 0", { RedrivePolicy: redrive("dead", 0) }, /maxReceiveCount is 0.*1 to 1000/],
    ["a maxReceiveCount above 1000", { RedrivePolicy: redrive("dead", 1001) }, /1001/],
    ["a redrive policy without maxReceiveCount", { RedrivePolicy: redrive("dead") }, /maxReceiveCount is undefined/],
    ["a redrive target that does not exist", { RedrivePolicy: redrive("gone", 5) }, /does not exist.*gone/],
    ["a FIFO redrive target of a standard queue", { RedrivePolicy: redrive("dead.fifo", 5) }, /same type of queue/],
  ];
  for (const [claim, refused, message] of attributeRefusals) {
    it(`refuses ${claim}`, async () => {
      const { messaging, sqs } = await startObserved();
      messaging.createQueue("dead", {});
      messaging.createQueue("dead.fifo", { FifoQueue: "true" });
      expect(() => messaging.createQueue("queue", refused)).to.throw(message);
      const { url } = messaging.createQueue("queue", {});
      expect(() => messaging.setQueueAttributes(url, refused)).to.throw(message);
      const create = sqs.send(new CreateQueueCommand({ QueueName: "another", Attributes: refused }));
      expect((await refusal(create)).message).to.match(message);
      const set = sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: refused }));
      expect((await refusal(set)).message).to.match(message);
    });
  }

  it("gives the next message to a waiting client, not to a long poll whose client has hung up", async () => {
    const { messaging, sqs, receive, counts } = await startObserved();
    const { url } = messaging.createQueue("queue", {});
    const hungUp = new AbortController();
    const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 20 }), {
      abortSignal: hungUp.signal,
    });
    // What a client did has reached the server once a later request, on a connection of its own, is answered.
    await counts(url);
    hungUp.abort();
    await refusal(poll);
    await counts(url);
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    expect((await receive(url)).map(({ Body }) => Body)).to.deep.equal(["hello"]);
  });

  it("records retries and dead letters as what they are", async () => {
    const { messaging, sqs, receive, labels } = await startObserved();
    const { url } = messaging.createQueue("queue", {});
    const reason = { DataType: "String", StringValue: "too large" };
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "x", MessageAttributes: { reason } }));
    const [message] = await receive(url);
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: url,
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout: 120,
      }),
    );
    expect(labels).to.deep.equal(["Lambda -> Publisher: dead letter: too large", "Lambda -> Publisher: retry in 120s"]);
  });
});

describe("a redrive policy", () => {
  it("moves a message that was received too often", async () => {
    const { messaging, sqs, receive } = await startObserved({ timeScale: 1000 });
    const dead = messaging.createQueue("dead", {});
    const { url } = messaging.createQueue("queue", { RedrivePolicy: redrive("dead", 1) });
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url);
    const [poll, [deadLetter]] = await Promise.all([
      sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 1 })),
      receive(dead.url),
    ]);
    expect(poll.Messages).to.equal(undefined);
    expect(deadLetter?.Body).to.equal("hello");
  });
});
