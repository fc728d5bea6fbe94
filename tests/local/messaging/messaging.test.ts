import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  type Message,
} from "@aws-sdk/client-sqs";
import { PublishBatchCommand, PublishCommand } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";
import { startMessaging } from "./messagingSetUp";

async function start({ timeScale }: { timeScale?: number } = {}) {
  const trace = new Trace();
  const labels: string[] = [];
  trace.subscribe(({ from, to, label }) => labels.push(`${from} -> ${to}: ${label}`));
  const lines: string[] = [];
  const { messaging, sqs, sns } = await startMessaging({ trace, timeScale, log: (line) => lines.push(line) });

  /** Waits for messages, up to the 20 s of a long poll. */
  const receive = async (url: string, options: { VisibilityTimeout?: number } = {}): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      WaitTimeSeconds: 20,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
      ...options,
    });
    return (await sqs.send(command)).Messages ?? [];
  };
  const counts = async (url: string) => {
    const command = new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
      ],
    });
    return Object.values((await sqs.send(command)).Attributes ?? {}).map(Number);
  };
  return { messaging, sqs, sns, labels, lines, receive, counts };
}

/** A topic, a queue that is subscribed to it, and the subscription's dead-letter queue. */
async function startRelay(options: {
  queuePolicy?: boolean;
  deadLetterPolicy?: boolean;
  deadLetterQueue?: boolean;
  raw?: boolean;
}) {
  const { queuePolicy = true, deadLetterPolicy = true, deadLetterQueue = true, raw = true } = options;
  const started = await start();
  const { messaging } = started;
  const topicArn = messaging.createTopic("topic", {});
  const queue = messaging.createQueue("queue", {});
  const dead = messaging.createQueue("dead", {});
  if (queuePolicy) messaging.setQueueAttributes(queue.url, { Policy: policy(queue.arn, topicArn) });
  if (deadLetterPolicy) messaging.setQueueAttributes(dead.url, { Policy: policy(dead.arn, topicArn) });
  messaging.subscribe(topicArn, queue.arn, {
    RawMessageDelivery: String(raw),
    ...(deadLetterQueue && { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn }) }),
  });
  return { ...started, topicArn, queue, dead };
}

function policy(queueArn: string, topicArn: string): string {
  return JSON.stringify({
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: queueArn,
        Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
      },
    ],
  });
}

function attributes(count: number) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`a${index}`, { DataType: "String", StringValue: `${index}` }]),
  );
}

describe("a topic", () => {
  it("delivers raw with attributes to a queue whose policy allows it", async () => {
    const { sns, receive, topicArn, queue, lines } = await startRelay({});
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello", MessageAttributes: attributes(10) }));
    const [message] = await receive(queue.url);
    expect(message?.Body).to.equal("hello");
    expect(Object.keys(message?.MessageAttributes ?? {})).to.have.length(10);
    expect(lines).to.deep.equal([]);
  });

  it("delivers in SNS's envelope without raw delivery, however many attributes", async () => {
    const { sns, receive, topicArn, queue } = await startRelay({ raw: false });
    const { MessageId } = await sns.send(
      new PublishCommand({ TopicArn: topicArn, Message: "hello", MessageAttributes: attributes(11) }),
    );
    const [message] = await receive(queue.url);
    expect(JSON.parse(message?.Body ?? "")).to.include({ Type: "Notification", MessageId, Message: "hello" });
  });

  it("answers the publisher, and sends to the subscription's dead-letter queue, where the queue has no policy", async () => {
    const { sns, receive, counts, topicArn, queue, dead, lines } = await startRelay({ queuePolicy: false });
    const { MessageId } = await sns.send(
      new PublishCommand({ TopicArn: topicArn, Message: "hello", MessageAttributes: attributes(2) }),
    );
    expect(MessageId).to.be.a("string");
    const [message] = await receive(dead.url);
    expect(message?.Body).to.equal("hello");
    expect(message?.MessageAttributes).to.have.keys("a0", "a1");
    expect(await counts(queue.url)).to.deep.equal([0, 0, 0]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain(topicArn).and.contain(queue.arn).and.contain("no policy").and.contain(dead.arn);
  });

  it("sends to the dead-letter queue where the queue is gone", async () => {
    const { sns, messaging, receive, topicArn, queue, dead, lines } = await startRelay({});
    messaging.deleteQueue(queue.url);
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect((await receive(dead.url))[0]?.Body).to.equal("hello");
    expect(lines[0]).to.contain("does not exist");
  });

  for (const [claim, message, reason] of [
    [
      "more attributes than SQS takes",
      { Message: "hello", MessageAttributes: attributes(11) },
      /11 message attributes/,
    ],
    ["a character that SQS refuses", { Message: "a\u0001b" }, /body contains U\+0001/],
    ["a non-character", { Message: "a\uffff" }, /body contains U\+FFFF/],
    [
      "such a character in an attribute",
      { Message: "m", MessageAttributes: { a: { DataType: "String", StringValue: "\u0000" } } },
      /attribute a contains U\+0000/,
    ],
  ] as const) {
    it(`loses a raw message with ${claim}, which the dead-letter queue refuses as well, and says so`, async () => {
      const { sns, counts, topicArn, queue, dead, lines } = await startRelay({});
      const { MessageId } = await sns.send(new PublishCommand({ TopicArn: topicArn, ...message }));
      expect(MessageId).to.be.a("string");
      expect(await counts(queue.url)).to.deep.equal([0, 0, 0]);
      expect(await counts(dead.url)).to.deep.equal([0, 0, 0]);
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(reason).and.contain(`discarded, for the dead-letter queue ${dead.arn} cannot take it`);
    });
  }

  it("sends to the dead-letter queue what is larger than the queue's MaximumMessageSize, attributes included", async () => {
    const { messaging, sns, receive, topicArn, queue, dead, lines } = await startRelay({});
    messaging.setQueueAttributes(queue.url, { MaximumMessageSize: "1024" });
    const MessageAttributes = { a: { DataType: "String", StringValue: "x" } };
    const attributeBytes = "aStringx".length;
    for (const length of [1_024 - attributeBytes, 1_025 - attributeBytes]) {
      await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m".repeat(length), MessageAttributes }));
    }
    expect((await receive(queue.url)).map(({ Body }) => Body?.length)).to.deep.equal([1_024 - attributeBytes]);
    expect((await receive(dead.url)).map(({ Body }) => Body?.length)).to.deep.equal([1_025 - attributeBytes]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain("1025 bytes").and.contain("MaximumMessageSize is 1024");
  });

  it("delivers every such character in SNS's envelope, which escapes it, but for those that JSON does not", async () => {
    const { sns, receive, topicArn, queue, lines } = await startRelay({ raw: false });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "a\u0001" }));
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "a\ufffe" }));
    const messages = await receive(queue.url);
    expect(messages.map(({ Body = "" }) => (JSON.parse(Body) as { Message: string }).Message)).to.deep.equal([
      "a\u0001",
    ]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain("U+FFFE");
  });

  it("discards the message, and says so, where the dead-letter queue's policy does not allow SNS either", async () => {
    const { sns, counts, topicArn, dead, lines } = await startRelay({ queuePolicy: false, deadLetterPolicy: false });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect(await counts(dead.url)).to.deep.equal([0, 0, 0]);
    expect(lines[0]).to.contain("discarded").and.contain(dead.arn);
  });

  it("discards the message, and says so, where the subscription has no dead-letter queue", async () => {
    const { sns, counts, topicArn, dead, lines } = await startRelay({ queuePolicy: false, deadLetterQueue: false });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect(await counts(dead.url)).to.deep.equal([0, 0, 0]);
    expect(lines[0]).to.contain("discarded").and.contain("no dead-letter queue");
  });

  it("discards the message, and says so, where the policy cannot be evaluated", async () => {
    const { sns, messaging, counts, topicArn, queue, lines } = await startRelay({ deadLetterQueue: false });
    messaging.setQueueAttributes(queue.url, { Policy: '{"Statement":[{"NotPrincipal":"*"}]}' });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect(await counts(queue.url)).to.deep.equal([0, 0, 0]);
    expect(lines[0]).to.contain("cannot be evaluated");
  });

  it("discards what goes to a queue under the AWS managed key", async () => {
    const { sns, messaging, counts, topicArn, queue, lines } = await startRelay({ deadLetterQueue: false });
    messaging.setQueueAttributes(queue.url, { KmsMasterKeyId: "alias/aws/sqs" });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect(await counts(queue.url)).to.deep.equal([0, 0, 0]);
    expect(lines[0]).to.contain("alias/aws/sqs");
  });

  it("delivers those messages of a batch that the queue can take", async () => {
    const { sns, receive, counts, topicArn, queue, dead, lines } = await startRelay({});
    const { Successful } = await sns.send(
      new PublishBatchCommand({
        TopicArn: topicArn,
        PublishBatchRequestEntries: [
          { Id: "fits", Message: "fits", MessageAttributes: attributes(10) },
          { Id: "not", Message: "does not", MessageAttributes: attributes(11) },
        ],
      }),
    );
    expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["fits", "not"]);
    expect((await receive(queue.url)).map(({ Body }) => Body)).to.deep.equal(["fits"]);
    expect(await counts(dead.url)).to.deep.equal([0, 0, 0]);
    expect(lines).to.have.length(1);
  });

  it("judges by each topic's own subscription while many publish at once", async () => {
    const { sns, messaging, receive, counts, topicArn, queue } = await startRelay({ deadLetterQueue: false });
    const other = messaging.createTopic("other", {});
    messaging.subscribe(other, queue.arn, {});
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        sns.send(new PublishCommand({ TopicArn: index % 2 ? topicArn : other, Message: `${index}` })),
      ),
    );
    const bodies = (await receive(queue.url)).map(({ Body }) => Body);
    expect(bodies.sort()).to.deep.equal(["1", "3", "5", "7", "9"]);
    expect(await counts(queue.url)).to.deep.equal([0, 5, 0]);
  });

  it("says nothing about a queue whose filter policy does not match", async () => {
    const { sns, messaging, topicArn, lines } = await startRelay({});
    const queue = messaging.createQueue("filtered", {});
    messaging.subscribe(topicArn, queue.arn, { FilterPolicy: '{"context":["chat"]}' });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect(lines).to.deep.equal([]);
  });

  it("delivers after the queue's delay", async () => {
    const { sns, messaging, counts, topicArn, queue } = await startRelay({});
    messaging.setQueueAttributes(queue.url, { DelaySeconds: "900" });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello" }));
    expect(await counts(queue.url)).to.deep.equal([0, 0, 1]);
  });

  it("records whom a message is for, and never its body", async () => {
    const { sns, topicArn, labels } = await startRelay({});
    const text = (StringValue: string) => ({ DataType: "String", StringValue });
    await sns.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: "secret",
        MessageAttributes: { user: text("ana"), context: text("chat"), contextId: text("7") },
      }),
    );
    expect(labels).to.deep.equal(["BackendApi -> Publisher: publish to ana/chat#7"]);
  });
});

describe("a queue", () => {
  it("has a URL that names the address it is served at", async () => {
    const { messaging, sqs } = await start();
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "queue" }));
    expect(QueueUrl).to.equal(`${messaging.endpoint}/000000000000/queue`);
    expect(messaging.endpoint).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
  });

  it("refuses a message with more than 10 attributes", async () => {
    const { messaging, sqs } = await start();
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
    const { messaging, sqs } = await start();
    const { url } = messaging.createQueue("queue", {});
    const command = new SendMessageCommand({ QueueUrl: url, MessageBody: "hello", DelaySeconds: 901 });
    expect((await refusal(sqs.send(command))).message).to.contain("901");
  });

  for (const seconds of [1.5, -1, 43_201]) {
    it(`refuses a visibility timeout of ${seconds}`, async () => {
      const { messaging, sqs } = await start({ timeScale: 10 });
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
      const { messaging, sqs } = await start();
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

  it("gives the next message to who is there, not to a long poll whose client has hung up", async () => {
    const { messaging, sqs, receive, counts } = await start();
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
    const { messaging, sqs, receive, labels } = await start();
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

describe("time compression", () => {
  // 12 hours last 0.1 s: nothing here would end within a test otherwise.
  const timeScale = 432_000;

  it("divides the queue's own visibility timeout, which is still shown as it was set", async () => {
    const { messaging, sqs, receive } = await start({ timeScale });
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
    const { messaging, sqs, receive } = await start({ timeScale });
    const { url } = messaging.createQueue("queue", {});
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url, { VisibilityTimeout: 43_200 });
    expect(await receive(url)).to.have.length(1);
  });

  for (const isBatch of [false, true]) {
    it(`divides a change of visibility${isBatch ? " in a batch" : ""}`, async () => {
      // The queue's own visibility timeout is the longest that would still outlast the test.
      const { messaging, sqs, receive } = await start({ timeScale: 200 });
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
    const { messaging, sqs, receive } = await start({ timeScale: 9000 });
    const { url } = messaging.createQueue("queue", { DelaySeconds: "900", VisibilityTimeout: "43200" });
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "the queue's" }));
    expect((await receive(url)).map(({ Body }) => Body)).to.deep.equal(["the queue's"]);
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "its own", DelaySeconds: 600 }));
    expect((await receive(url)).map(({ Body }) => Body)).to.deep.equal(["its own"]);
  });

  it("leaves times as they are without a scale", async () => {
    const { messaging, sqs, receive, counts } = await start();
    const { url } = messaging.createQueue("queue", {});
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello", DelaySeconds: 900 }));
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url);
    expect(await counts(url)).to.deep.equal([0, 1, 1]);
  });
});

describe("a redrive policy", () => {
  it("moves a message that was received too often", async () => {
    const { messaging, sqs, receive } = await start({ timeScale: 1000 });
    const dead = messaging.createQueue("dead", {});
    const { url } = messaging.createQueue("queue", { RedrivePolicy: redrive("dead", 1) });
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: "hello" }));
    await receive(url);
    const [poll, [letter]] = await Promise.all([
      sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 1 })),
      receive(dead.url),
    ]);
    expect(poll.Messages).to.equal(undefined);
    expect(letter?.Body).to.equal("hello");
  });
});

function redrive(target: string, maxReceiveCount?: number): string {
  return JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${target}`, maxReceiveCount });
}
