import { PublishBatchCommand, PublishCommand, type PublishCommandInput } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { attributes, startObserved } from "./observed";

/** A topic, a queue that is subscribed to it, and the subscription's dead-letter queue. */
async function startRelay(options: {
  queuePolicy?: boolean;
  deadLetterPolicy?: boolean;
  deadLetterQueue?: boolean;
  raw?: boolean;
}) {
  const { queuePolicy = true, deadLetterPolicy = true, deadLetterQueue = true, raw = true } = options;
  const started = await startObserved();
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
      expect(lines[0])
        .to.match(reason)
        .and.contain(`discarded because the dead-letter queue ${dead.arn} cannot take it`);
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

  it("records the scope of a message", async () => {
    const { sns, topicArn, labels } = await startRelay({});
    const text = (StringValue: string) => ({ DataType: "String", StringValue });
    const scopes: NonNullable<PublishCommandInput["MessageAttributes"]>[] = [
      { user: text("ana"), scope: text("user") },
      { user: text("ana"), context: text("chat"), scope: text("context") },
    ];
    for (const MessageAttributes of scopes) {
      await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "hello", MessageAttributes }));
    }
    expect(labels).to.deep.equal(["*#*", "chat#*"].map((to) => `BackendApi -> Publisher: publish to ana/${to}`));
  });
});
