import { PublishBatchCommand, PublishCommand } from "@aws-sdk/client-sns";
import { type Message, ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { credentials } from "../../../local/account";
import { EventSourceMapping } from "../../../local/lambda/eventSourceMapping";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";
import { afterTest } from "../../support/afterTest";
import { startMessaging } from "./messagingSetUp";

/** A topic with a standard queue, and that queue's dead-letter queue, which takes what is received a second time. */
async function start({ raw = true } = {}) {
  const { messaging, sqs, sns } = await startMessaging();
  const topicArn = messaging.createTopic("topic", {});
  const dead = messaging.createQueue("dead", {});
  const queue = messaging.createQueue("queue", {
    VisibilityTimeout: "0",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    Policy: JSON.stringify({
      Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }],
    }),
  });
  messaging.subscribe(topicArn, queue.arn, { RawMessageDelivery: String(raw) });
  const receive = async (QueueUrl: string): Promise<Message[]> => {
    const all = { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All" as const] };
    return (await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...all }))).Messages ?? [];
  };
  return { messaging, sqs, sns, topicArn, queue, dead, receive };
}

const groups = (messages: Message[]) => messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]);
const attribute = { user: { DataType: "String", StringValue: "42" } };

describe("a message group on a standard topic", () => {
  it("is an attribute of the message that its queue gets raw, and stays one in the dead-letter queue", async () => {
    const { sns, topicArn, queue, dead, receive } = await start();
    const group = { MessageGroupId: "user-42" };
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m", MessageAttributes: attribute, ...group }));
    expect(groups(await receive(queue.url))).to.deep.equal([["m", "user-42"]]);
    expect(await receive(queue.url)).to.deep.equal([]);
    expect(groups(await receive(dead.url))).to.deep.equal([["m", "user-42"]]);
  });

  it("reaches the queue without raw delivery, too", async () => {
    const { sns, topicArn, queue, receive } = await start({ raw: false });
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m", MessageGroupId: "g" }));
    expect((await receive(queue.url))[0]?.Attributes?.MessageGroupId).to.equal("g");
  });

  it("belongs to its own entry of a batch", async () => {
    const { sns, topicArn, queue, receive } = await start();
    const PublishBatchRequestEntries = [
      { Id: "1", Message: "same", MessageGroupId: "first" },
      { Id: "2", Message: "", MessageGroupId: "refused" },
      { Id: "3", Message: "same" },
      { Id: "4", Message: "same", MessageGroupId: "last" },
    ];
    await sns.send(new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries }));
    const received = groups(await receive(queue.url));
    expect(received).to.deep.equal([
      ["same", "first"],
      ["same", undefined],
      ["same", "last"],
    ]);
  });

  it("may be left out", async () => {
    const { sns, topicArn, queue, receive } = await start();
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m" }));
    expect(groups(await receive(queue.url))).to.deep.equal([["m", undefined]]);
  });

  const refused = ["", "with space", "naïve", "line\nbreak", "x".repeat(129)];
  for (const MessageGroupId of refused) {
    it(`is refused where it is ${JSON.stringify(MessageGroupId)}`, async () => {
      const { sns, sqs, topicArn, queue } = await start();
      const entry = { Id: "1", Message: "m", MessageGroupId };
      const error = await refusal(sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m", MessageGroupId })));
      expect(error.name).to.equal("InvalidParameterException");
      expect(error.message).to.include("MessageGroupId").and.include("1 to 128");
      const { Failed } = await sns.send(
        new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries: [entry] }),
      );
      expect(Failed?.[0]).to.include({ Id: "1", Code: "InvalidParameter" });
      expect(Failed?.[0]?.Message).to.include("MessageGroupId").and.include("1 to 128");
      const send = await refusal(
        sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: "m", MessageGroupId })),
      );
      expect(send.name).to.equal("InvalidParameterValue");
      expect(send.message).to.include("MessageGroupId");
    });
  }

  it("may have all 94 characters that are letters, digits and punctuation", async () => {
    const { sns, topicArn, queue, receive } = await start();
    const MessageGroupId = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n)).join("");
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m", MessageGroupId }));
    expect(groups(await receive(queue.url))).to.deep.equal([["m", MessageGroupId]]);
  });
});

describe("a message group on a standard queue", () => {
  it("is taken with a message, and with each message of a batch", async () => {
    const { sqs, queue, receive } = await start();
    const QueueUrl = queue.url;
    const single = { QueueUrl, MessageBody: "single", MessageAttributes: attribute, MessageGroupId: "a" };
    await sqs.send(new SendMessageCommand(single));
    const Entries = [
      { Id: "1", MessageBody: "batched", MessageGroupId: "b" },
      { Id: "2", MessageBody: "without" },
    ];
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(groups(await receive(QueueUrl))).to.deep.equal([
      ["single", "a"],
      ["batched", "b"],
      ["without", undefined],
    ]);
  });

  it("does not keep the messages of one group from being received side by side", async () => {
    const { sqs, queue, receive } = await start();
    for (const MessageBody of ["1", "2"]) {
      await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody, MessageGroupId: "g" }));
    }
    expect(await receive(queue.url)).to.have.length(2);
  });

  it("is in the event of the function that the queue is mapped to", async () => {
    const { messaging, sqs, queue } = await start();
    await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: "m", MessageGroupId: "g" }));
    const event = await new Promise((resolve) => {
      const invoker = {
        invoke: (_: string, event: unknown) => {
          resolve(event);
          return Promise.resolve({ payload: null });
        },
      };
      const { endpoint } = messaging;
      const functionArn = "arn:aws:lambda:us-east-1:000000000000:function:f";
      const own = () => ({ ...credentials, sessionToken: "local" });
      const options = {
        functionArn,
        queue,
        invoker,
        endpoint,
        credentials: own,
        log: () => undefined,
        trace: new Trace(),
      };
      const mapping = new EventSourceMapping(options);
      afterTest(() => mapping.stop());
    });
    expect(event).to.have.nested.property("Records[0].attributes.MessageGroupId", "g");
  });
});
