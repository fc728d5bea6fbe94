import {
  CreateTopicCommand,
  PublishBatchCommand,
  type PublishBatchRequestEntry,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import { type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";
import { startMessaging } from "./messagingSetUp";

/** A topic with a queue. */
async function start({
  subscription = {},
  isFifo = false,
}: {
  subscription?: Record<string, string>;
  isFifo?: boolean;
}) {
  const labels: string[] = [];
  const trace = new Trace();
  trace.subscribe(({ label }) => labels.push(label));
  const { messaging, sqs, sns } = await startMessaging({ trace });
  const suffix = isFifo ? ".fifo" : "";
  const topicArn = messaging.createTopic(`topic${suffix}`, {});
  const anybody = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" };
  const queue = messaging.createQueue(`queue${suffix}`, { Policy: JSON.stringify({ Statement: [anybody] }) });
  messaging.subscribe(topicArn, queue.arn, { RawMessageDelivery: "true", ...subscription });
  const receive = async (): Promise<Message[]> => {
    const all = { MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] };
    return (await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url, ...all }))).Messages ?? [];
  };
  const publish = (message: Partial<PublishCommand["input"]>) =>
    sns.send(new PublishCommand({ TopicArn: topicArn, Message: "m", ...message }));
  const publishBatch = (entries: Partial<PublishBatchRequestEntry>[]) => {
    const PublishBatchRequestEntries = entries as PublishBatchRequestEntry[];
    return sns.send(new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries }));
  };
  return { messaging, sns, topicArn, queue, labels, receive, publish, publishBatch };
}

const bodies = (messages: Message[]) => messages.map(({ Body }) => Body);
const structured = (message: unknown) => ({ Message: JSON.stringify(message), MessageStructure: "json" });
const text = (StringValue: string) => ({ DataType: "String", StringValue });

describe("a structured message", () => {
  const unwrapped: [claim: string, message: unknown, body: string][] = [
    ["the text for SQS", { default: "d", sqs: "s", email: "e" }, "s"],
    ["the default text where there is none for SQS", { default: "d", http: "h" }, "d"],
    ["the default text where that for SQS is no text", { default: "d", sqs: { a: 1 } }, "d"],
  ];
  for (const [claim, message, body] of unwrapped) {
    it(`is delivered as ${claim}, alone and in a batch`, async () => {
      const { publish, publishBatch, receive } = await start({});
      await publish(structured(message));
      expect(bodies(await receive())).to.deep.equal([body]);
      await publishBatch([{ Id: "1", ...structured(message) }]);
      expect(bodies(await receive())).to.deep.equal([body]);
    });
  }

  it("is delivered as that text in SNS's envelope, too", async () => {
    const { publish, receive } = await start({ subscription: { RawMessageDelivery: "false" } });
    await publish(structured({ default: "d", sqs: "s" }));
    const [message] = await receive();
    expect(JSON.parse(message?.Body ?? "")).to.deep.include({ Message: "s", MessageAttributes: {} });
  });

  it("is delivered without its attributes, which the filter policy still sees", async () => {
    const { publish, receive, labels } = await start({ subscription: { FilterPolicy: '{"user":["ana"]}' } });
    await publish({ ...structured({ default: "d" }), MessageAttributes: { user: text("ana") } });
    await publish({ ...structured({ default: "not for it" }), MessageAttributes: { user: text("ben") } });
    const messages = await receive();
    expect(bodies(messages)).to.deep.equal(["d"]);
    expect(messages[0]).not.to.have.property("MessageAttributes");
    expect(labels).to.deep.equal(["publish to ana/?#?", "publish to ben/?#?"]);
  });

  const refusals: [claim: string, message: Partial<PublishCommand["input"]>, reason: RegExp][] = [
    ["no default text", structured({ sqs: "s" }), /No default entry in JSON message body/],
    ["a default that is no text", structured({ default: { a: 1 } }), /No default entry/],
    ["a text that is no JSON", { Message: "hello", MessageStructure: "json" }, /JSON message body failed to parse/],
    ["a JSON array", structured(["default"]), /failed to parse/],
    ["another structure", { Message: "{}", MessageStructure: "xml" }, /MessageStructure.*must be json.*got xml/],
    ["an empty text", structured({ default: "" }), /empty text for SQS is not modelled/],
  ];
  for (const [claim, message, reason] of refusals) {
    it(`is refused with ${claim}, in a batch for that entry alone`, async () => {
      const { publish, publishBatch, receive } = await start({});
      const error = await refusal(publish(message));
      expect(error.name).to.equal("InvalidParameterException");
      expect(error.message).to.match(reason);
      const { Failed } = await publishBatch([
        { Id: "bad", ...message },
        { Id: "good", Message: "m" },
      ]);
      expect(Failed?.map(({ Id, Code }) => [Id, Code])).to.deep.equal([["bad", "InvalidParameter"]]);
      expect(bodies(await receive())).to.deep.equal(["m"]);
    });
  }
});

describe("a published batch", () => {
  it("has each of its entries in one of both lists", async () => {
    const { publishBatch, receive } = await start({});
    const { Successful, Failed } = await publishBatch([
      { Id: "empty", Message: "" },
      { Id: "good", Message: "m" },
      { Id: "no-message" },
      { Id: "attribute", Message: "m", MessageAttributes: { a: { DataType: "String", StringValue: "" } } },
      { Id: "subject", Message: "m", Subject: "two\nlines" },
    ]);
    expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["good"]);
    expect(Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).to.deep.equal([
      ["empty", "InvalidParameter", true],
      ["no-message", "InvalidParameter", true],
      ["attribute", "ParameterValueInvalid", true],
      ["subject", "InvalidParameter", true],
    ]);
    expect(Failed?.[0]?.Message).to.contain("Empty message");
    expect(bodies(await receive())).to.deep.equal(["m"]);
  });

  it("has all of its entries in the list of those that failed, where all did", async () => {
    const { publishBatch } = await start({});
    const { Successful, Failed } = await publishBatch([{ Id: "1", Message: "" }]);
    expect(Successful ?? []).to.deep.equal([]);
    expect(Failed?.map(({ Id }) => Id)).to.deep.equal(["1"]);
  });

  it("says which entries to a FIFO topic have no group, or no deduplication id", async () => {
    const { publishBatch } = await start({ isFifo: true });
    const { Successful, Failed } = await publishBatch([
      { Id: "no-group", Message: "m", MessageDeduplicationId: "1" },
      { Id: "no-id", Message: "m", MessageGroupId: "g" },
      { Id: "good", Message: "m", MessageGroupId: "g", MessageDeduplicationId: "1" },
    ]);
    expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["good"]);
    expect(Failed?.map(({ Id }) => Id)).to.deep.equal(["no-group", "no-id"]);
    expect(Failed?.map(({ Message }) => Message).join()).to.match(/MessageGroupId.*ContentBasedDeduplication/);
  });

  const m = (Id: string, Message = "m") => ({ Id, Message });
  const refusals: [claim: string, entries: Partial<PublishBatchRequestEntry>[], name: string][] = [
    ["no entries", [], "EmptyBatchRequestException"],
    ["eleven entries", Array.from({ length: 11 }, (_, n) => m(`${n}`)), "TooManyEntriesInBatchRequestException"],
    ["one id twice", [m("1"), m("1")], "BatchEntryIdsNotDistinctException"],
    ["an id with a period", [m("1.2")], "InvalidBatchEntryIdException"],
    ["an id of 81 characters", [m("x".repeat(81))], "InvalidBatchEntryIdException"],
    ["an entry without an id", [{ Message: "m" }], "InvalidBatchEntryIdException"],
    ["more than 256 KiB", [m("1", "x".repeat(200_000)), m("2", "x".repeat(62_145))], "BatchRequestTooLongException"],
    ["more than 256 KiB of UTF-8", [m("1", "é".repeat(131_073))], "BatchRequestTooLongException"],
  ];
  for (const [claim, entries, name] of refusals) {
    it(`is refused as a whole with ${claim}`, async () => {
      const { publishBatch, receive } = await start({});
      expect((await refusal(publishBatch(entries))).name).to.equal(name);
      expect(await receive()).to.deep.equal([]);
    });
  }

  it("may be of 256 KiB", async () => {
    const { publishBatch } = await start({});
    const { Successful } = await publishBatch([m("1", "x".repeat(200_000)), m("2", "x".repeat(62_144))]);
    expect(Successful).to.have.length(2);
  });
});

describe("a published message", () => {
  const value = (DataType: string | undefined, StringValue: string | undefined) => ({ DataType, StringValue });
  const refusals: [claim: string, message: Partial<PublishCommand["input"]>, name: string, reason: RegExp][] = [
    ["an empty text", { Message: "" }, "InvalidParameterException", /Empty message/],
    ["more than 256 KiB", { Message: "x".repeat(262_145) }, "InvalidParameterException", /shorter than 262144/],
    [
      "attributes that make it more than 256 KiB",
      { Message: "x".repeat(262_144 - 7), MessageAttributes: { a: text("x") } },
      "InvalidParameterException",
      /attributes included/,
    ],
    ["a subject of 101 characters", { Subject: "s".repeat(101) }, "InvalidParameterException", /Subject/],
    ["a phone number", { TopicArn: undefined, PhoneNumber: "+491" }, "InvalidParameterException", /not modelled/],
  ];
  const attributes: [claim: string, name: string, value: ReturnType<typeof value>, reason: RegExp][] = [
    ["an attribute without a value", "a", value("String", undefined), /'a' must contain non-empty.*type 'String'/],
    ["an attribute without a type", "a", value(undefined, "x"), /'a' has an invalid message attribute type ''/],
    ["an attribute of another type", "a", value("Boolean", "true"), /type 'Boolean'.*Binary, Number, and String/],
    ["a Number that is none", "n", value("Number", "many"), /Could not cast message attribute 'n' value 'many'/],
    ["an attribute with a space in its name", "a b", value("String", "x"), /'a b' is invalid/],
    ["an attribute's name with two periods", "a..b", value("String", "x"), /'a\.\.b' is invalid/],
    ["an attribute's name that AWS reserves", "AWS.x", value("String", "x"), /nor start with AWS/],
    ["an attribute's name of 257 characters", "x".repeat(257), value("String", "x"), /1 to 256/],
  ];
  const ofAttributes = attributes.map(([claim, name, attribute, reason]) => {
    const message = { MessageAttributes: { [name]: attribute as ReturnType<typeof text> } };
    return [claim, message, "InvalidParameterValueException", reason] as (typeof refusals)[number];
  });
  for (const [claim, message, name, reason] of [...refusals, ...ofAttributes]) {
    it(`is refused with ${claim}`, async () => {
      const { publish } = await start({});
      const error = await refusal(publish(message));
      expect(error.name).to.equal(name);
      expect(error.message).to.match(reason);
    });
  }

  it("may name its topic as a target", async () => {
    const { sns, topicArn, receive } = await start({});
    await sns.send(new PublishCommand({ TargetArn: topicArn, Message: "m" }));
    expect(bodies(await receive())).to.deep.equal(["m"]);
  });
});

describe("an SNS request of an SDK client", () => {
  it("subscribes with a filter policy that is judged as SNS does", async () => {
    const { messaging, sns, topicArn, queue, publish, receive } = await start({});
    // The very same subscription, for its ARN.
    messaging.unsubscribe(messaging.subscribe(topicArn, queue.arn, { RawMessageDelivery: "true" }));
    const FilterPolicy = JSON.stringify({ kind: [{ wildcard: "order-*" }, { "equals-ignore-case": "REFUND" }] });
    const Attributes = { RawMessageDelivery: "true", FilterPolicy };
    const command = new SubscribeCommand({ TopicArn: topicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes });
    const { SubscriptionArn } = await sns.send(command);
    const kinds = async () => {
      for (const kind of ["order-1", "Refund", "other"]) {
        await publish({ Message: JSON.stringify({ kind }), MessageAttributes: { kind: text(kind) } });
      }
      return bodies(await receive());
    };
    expect(await kinds()).to.deep.equal(['{"kind":"order-1"}', '{"kind":"Refund"}']);
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }));
    await set("FilterPolicyScope", "MessageBody");
    await set("FilterPolicy", '{"kind":["other"]}');
    expect(await kinds()).to.deep.equal(['{"kind":"other"}']);
    expect((await refusal(set("FilterPolicy", '{"kind":[{"regex":"x"}]}'))).message).to.match(/match type regex/);
    expect((await refusal(set("ReplayPolicy", "{}"))).message).to.match(/ReplayPolicy/);
  });

  it("is refused where the local run would not do what it asks", async () => {
    const { sns, topicArn, queue } = await start({});
    const subscribe = (Protocol: string, Attributes = {}) =>
      sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol, Endpoint: queue.arn, Attributes }));
    expect((await refusal(subscribe("lambda"))).message).to.match(/lambda.*only sqs/);
    expect((await refusal(subscribe("sqs", { RawMessageDelivery: "yes" }))).message).to.match(/RawMessageDelivery yes/);
    const create = (Name: string, Attributes = {}) => sns.send(new CreateTopicCommand({ Name, Attributes }));
    expect((await refusal(create("t".repeat(257)))).message).to.match(/has 257/);
    expect((await refusal(create("a.fifo"))).message).to.match(/\.fifo/);
    expect((await refusal(create("a", { ArchivePolicy: "{}" }))).message).to.match(/ArchivePolicy/);
    const [AttributeName, AttributeValue] = ["SignatureVersion", "3"];
    const set = new SetTopicAttributesCommand({ TopicArn: topicArn, AttributeName, AttributeValue });
    expect((await refusal(sns.send(set))).message).to.match(/SignatureVersion 3/);
  });
});
