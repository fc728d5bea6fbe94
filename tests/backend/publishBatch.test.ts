import {
  type BatchResultErrorEntry,
  type PublishBatchCommand,
  type PublishBatchRequestEntry,
  SNSClient,
} from "@aws-sdk/client-sns";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { type Publication, type PublishResult, RelayBackend, RelayInputError } from "../../backend";
import { batchInputs, publishInBatches } from "../../backend/publishBatch";
import { fakeCredentials, fakeRequestHandler } from "../support/boundaries";
import { refusal } from "../support/refusal";
import { anyone, bodies, startFifo } from "../local/messaging/fifoSetUp";
import { startMessaging } from "../local/messaging/messagingSetUp";

const topicArn = "arn:aws:sns:eu-west-1:111122223333:relay-topic";

/** A message to user 42's session `contextId`, whose text and id are `text`. */
const to = (contextId: string, text: string, message = text): Publication => ({
  user: "42",
  context: "chat",
  contextId,
  message,
  messageId: text,
});

const many = (count: number, contextId: string) =>
  Array.from({ length: count }, (_, index) => to(contextId, `${contextId}-${index + 1}`));

type Answer = { Failed?: BatchResultErrorEntry[]; drop?: string[] } | Error;

/** SNS as the caller sees it: `answer` names the entries, by their text, that are not published. */
class FakeSns {
  readonly requests: PublishBatchRequestEntry[][] = [];
  readonly waits: number[] = [];
  running = 0;
  mostRunning = 0;
  /** Sessions with two requests at one time. */
  readonly overlapping = new Set<string>();
  private readonly groups = new Map<string, number>();

  constructor(private readonly answer: (texts: string[], request: number) => Answer = () => ({})) {}

  readonly send = async ({ input }: PublishBatchCommand) => {
    const entries = input.PublishBatchRequestEntries ?? [];
    this.requests.push(entries);
    const number = this.requests.length;
    const groups = [...new Set(entries.map(({ MessageGroupId = "" }) => MessageGroupId))];
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    for (const group of groups) {
      const count = (this.groups.get(group) ?? 0) + 1;
      this.groups.set(group, count);
      if (count > 1) this.overlapping.add(group);
    }
    await new Promise((resolve) => setImmediate(resolve));
    this.running--;
    for (const group of groups) this.groups.set(group, (this.groups.get(group) ?? 0) - 1);
    const answer = this.answer(entries.map(textOf), number);
    if (answer instanceof Error) throw answer;
    const idOf = (text?: string) => entries.find((entry) => textOf(entry) === text)?.Id ?? "";
    const Failed = (answer.Failed ?? []).map((failure) => ({ ...failure, Id: idOf(failure.Id) }));
    const left = new Set([...Failed.map(({ Id }) => Id), ...(answer.drop ?? []).map(idOf)]);
    return { Successful: entries.filter(({ Id }) => !left.has(Id ?? "")), Failed };
  };

  texts(): string[][] {
    return this.requests.map((entries) => entries.map(textOf));
  }

  publish(publications: Publication[], arn = topicArn): Promise<PublishResult[]> {
    const inputs = batchInputs(publications, arn, new Date());
    const wait = (ms: number) => Promise.resolve(void this.waits.push(ms));
    return publishInBatches(this as unknown as SNSClient, arn, inputs, { wait });
  }
}

const textOf = ({ MessageAttributes }: PublishBatchRequestEntry) => MessageAttributes?.messageId?.StringValue ?? "";
const failing = (text: string, SenderFault = false, Code = "InternalError"): BatchResultErrorEntry => ({
  Id: text,
  Code,
  SenderFault,
  Message: "no",
});
/** Results as their ids, each with the name of its error. */
const shown = (results: PublishResult[]) =>
  results.map(({ messageId, error }) => (error ? `${messageId} ${error.name}` : messageId));

describe("RelayBackend.publishBatch", () => {
  it("sends up to ten messages in one request, with what publish sends for each", async () => {
    const sns = new FakeSns();
    const results = await sns.publish(many(10, "7"));
    expect(sns.requests).to.have.lengthOf(1);
    const [first] = sns.requests[0] ?? [];
    expect(first).to.deep.equal({
      Id: "0",
      Message: "7-1",
      MessageGroupId: first?.MessageGroupId,
      MessageDeduplicationId: undefined,
      MessageAttributes: {
        user: { DataType: "String", StringValue: "42" },
        context: { DataType: "String", StringValue: "chat" },
        contextId: { DataType: "String", StringValue: "7" },
        messageId: { DataType: "String", StringValue: "7-1" },
      },
    });
    expect(first?.MessageGroupId).to.match(/^[0-9a-f]{64}$/);
    expect(results).to.deep.equal(many(10, "7").map(({ messageId }) => ({ messageId })));
  });

  it("publishes to a FIFO topic with the deduplication IDs of publish", async () => {
    const sns = new FakeSns();
    await sns.publish(many(2, "7"), `${topicArn}.fifo`);
    const ids = sns.requests.flat().map(({ MessageDeduplicationId }) => MessageDeduplicationId);
    expect(ids[0]).to.match(/^[0-9a-f]{64}$/);
    expect(new Set(ids).size).to.equal(2);
  });

  it("gives each message without an ID one of its own", async () => {
    const withoutId = { ...to("7", "hello"), messageId: undefined };
    const results = await new FakeSns().publish([withoutId, withoutId]);
    expect(new Set(results.map(({ messageId }) => messageId)).size).to.equal(2);
  });

  it("sends a session's further messages one request after the other, in their order", async () => {
    const sns = new FakeSns();
    const all = many(25, "7");
    expect(shown(await sns.publish(all))).to.deep.equal(all.map(({ messageId }) => messageId));
    expect(sns.texts().flat()).to.deep.equal(all.map(({ message }) => message));
    expect(sns.texts().map(({ length }) => length)).to.deep.equal([10, 10, 5]);
    expect(sns.mostRunning).to.equal(1);
  });

  it("sends those of other sessions at the same time, at most eight requests, never two for one session", async () => {
    const sns = new FakeSns();
    const all = Array.from({ length: 20 }, (_, session) => many(12, `s${session}`)).flat();
    const results = await sns.publish(all);
    expect(shown(results)).to.deep.equal(all.map(({ messageId }) => messageId));
    expect(sns.mostRunning).to.equal(8);
    expect([...sns.overlapping]).to.deep.equal([]);
    for (let session = 0; session < 20; session++) {
      const sent = sns
        .texts()
        .flat()
        .filter((text) => text.startsWith(`s${session}-`));
      expect(sent).to.deep.equal(many(12, `s${session}`).map(({ message }) => message));
    }
  });

  it("sends few messages of many sessions in full requests", async () => {
    const sns = new FakeSns();
    await sns.publish(Array.from({ length: 30 }, (_, session) => to(`${session}`, `m${session}`)));
    expect(sns.requests.map(({ length }) => length)).to.deep.equal([10, 10, 10]);
  });

  it("puts at most 256 KiB into a request, attributes included, and lets no smaller message overtake", async () => {
    const sns = new FakeSns();
    const large = "x".repeat(131_072);
    const all = [to("7", "a", large), to("7", "b", large), to("7", "c"), to("8", "d")];
    await sns.publish(all);
    expect(sns.texts()).to.deep.equal([
      ["a", "d"],
      ["b", "c"],
    ]);
  });

  it("fills a request up to exactly 262,144 bytes of UTF-8", async () => {
    const attributeBytes = (contextId: string, id: string) =>
      Buffer.byteLength(`userString42contextStringchatcontextIdString${contextId}messageIdString${id}`);
    const rest = 262_144 - 131_072 - attributeBytes("7", "a") - attributeBytes("8", "b");
    const large = to("7", "a", "é".repeat(65_536));
    const fits = new FakeSns();
    await fits.publish([large, to("8", "b", "x".repeat(rest))]);
    expect(fits.texts()).to.deep.equal([["a", "b"]]);
    const exceeds = new FakeSns();
    await exceeds.publish([large, to("8", "b", "x".repeat(rest + 1))]);
    expect(exceeds.texts()).to.deep.equal([["a"], ["b"]]);
  });

  it("sends nothing for an empty list", async () => {
    const sns = new FakeSns();
    expect(await sns.publish([])).to.deep.equal([]);
    expect(sns.requests).to.deep.equal([]);
  });

  describe("where SNS does not publish an entry", () => {
    it("tries it again, up to three times, never the others", async () => {
      const sns = new FakeSns((texts) => (texts.includes("b") ? { Failed: [failing("b")] } : {}));
      const results = await sns.publish([to("7", "a"), to("8", "b"), to("9", "c")]);
      expect(sns.texts()).to.deep.equal([["a", "b", "c"], ["b"], ["b"]]);
      expect(shown(results)).to.deep.equal(["a", "b InternalError", "c"]);
      expect(results[1]?.error?.message).to.equal("no");
      expect(sns.waits).to.have.lengthOf(2);
      for (const ms of sns.waits) expect(ms).to.be.within(0, 400);
    });

    it("answers without an error once a further try has succeeded", async () => {
      const sns = new FakeSns((_, request) => (request === 1 ? { Failed: [failing("a")] } : {}));
      expect(shown(await sns.publish([to("7", "a"), to("8", "b")]))).to.deep.equal(["a", "b"]);
      expect(sns.texts()).to.deep.equal([["a", "b"], ["a"]]);
    });

    it("does not try a sender's fault again", async () => {
      const sns = new FakeSns(() => ({ Failed: [failing("a", true, "InvalidParameter")] }));
      expect(shown(await sns.publish([to("7", "a"), to("8", "b")]))).to.deep.equal(["a InvalidParameter", "b"]);
      expect(sns.requests).to.have.lengthOf(1);
    });

    it("tries again what the answer does not mention, and says so in the end", async () => {
      const sns = new FakeSns(() => ({ drop: ["a"] }));
      expect(shown(await sns.publish([to("7", "a"), to("8", "b")]))).to.deep.equal(["a NoAnswer", "b"]);
      expect(sns.requests).to.have.lengthOf(3);
    });

    it("does not publish the session's later messages, and says so for each", async () => {
      const sns = new FakeSns((texts) => (texts.includes("7-10") ? { Failed: [failing("7-10", true)] } : {}));
      const results = await sns.publish([...many(12, "7"), to("8", "other")]);
      expect(shown(results)).to.deep.equal([
        ...many(9, "7").map(({ messageId }) => messageId),
        "7-10 InternalError",
        "7-11 EarlierMessageFailed",
        "7-12 EarlierMessageFailed",
        "other",
      ]);
      expect(sns.texts().flat()).not.to.include("7-11");
    });

    it("does not publish the later messages of a scope, and publishes those of the user's sessions", async () => {
      const scoped = (messageId: string): Publication => ({ user: "42", scope: "user", message: messageId, messageId });
      const sns = new FakeSns((texts) => (texts.includes("u1") ? { Failed: [failing("u1", true)] } : {}));
      const results = await sns.publish([scoped("u1"), to("7", "session"), ...many(9, "8"), scoped("u2")]);
      expect(shown(results).filter((each) => !each.startsWith("8-"))).to.deep.equal([
        "u1 InternalError",
        "session",
        "u2 EarlierMessageFailed",
      ]);
    });

    it("tells how to publish the session's later messages in order", async () => {
      const sns = new FakeSns((texts) => (texts.includes("7-1") ? { Failed: [failing("7-1", true)] } : {}));
      const results = await sns.publish(many(11, "7"));
      expect(results[10]?.error?.message).to.equal(
        "not published, because an earlier message of its session or scope was not. Fix: publish all messages with an error again, in " +
          "order and with the same messageId",
      );
    });

    it("tries it again before the session's later messages", async () => {
      const sns = new FakeSns((_, request) => (request === 1 ? { Failed: [failing("7-10")] } : {}));
      await sns.publish(many(12, "7"));
      expect(sns.texts()[1]).to.deep.equal(["7-10", "7-11", "7-12"]);
    });

    it("does not try it again on a FIFO topic once a later message of its session is published", async () => {
      const sns = new FakeSns((_, request) => (request === 1 ? { Failed: [failing("7-2"), failing("8-1")] } : {}));
      const results = await sns.publish([...many(3, "7"), ...many(1, "8")], `${topicArn}.fifo`);
      expect(shown(results)).to.deep.equal(["7-1", "7-2 InternalError", "7-3", "8-1"]);
      expect(sns.texts()).to.deep.equal([["7-1", "7-2", "7-3", "8-1"], ["8-1"]]);
    });
  });

  it("answers each entry of a request that fails with the SDK's error, and publishes other sessions", async () => {
    const denied = Object.assign(new Error("denied"), { name: "AuthorizationErrorException" });
    const sns = new FakeSns((texts) => (texts.includes("7-1") ? denied : {}));
    const results = await sns.publish([...many(11, "7"), ...many(2, "8")]);
    expect(shown(results)).to.deep.equal([
      ...many(10, "7").map(({ messageId }) => `${messageId} AuthorizationErrorException`),
      "7-11 EarlierMessageFailed",
      "8-1",
      "8-2",
    ]);
    expect(results[0]?.error).to.equal(denied);
  });

  describe("refuses, before anything is sent,", () => {
    const topic = fakeRequestHandler(() => ({ body: "" }));
    const clients = { sns: new SNSClient({ ...fakeCredentials, requestHandler: topic.requestHandler }) };
    const backend = new RelayBackend({ topicArn, clients });
    const refused = async (publications: unknown) =>
      (await refusal(backend.publishBatch(publications as Publication[]))) as RelayInputError;

    afterEach(() => expect(topic.requests).to.deep.equal([]));

    it("an invalid message, by its index", async () => {
      const error = await refused([to("7", "a"), { ...to("7", "b"), contextId: "" }]);
      expect(error).to.be.instanceOf(RelayInputError).and.include({ input: "contextId", index: 1 });
      expect(error.message).to.match(/^publications\[1\]: contextId .*; allowed: .* Fix: /);
      expect(error.stack).to.include("publications[1]");
    });

    it("a scope with an address that it excludes, by its index", () => {
      const wrong = { ...to("7", "b"), scope: "user" } as unknown as Publication;
      expect(() => batchInputs([to("7", "a"), wrong], topicArn, new Date()))
        .to.throw(RelayInputError, /^publications\[1\]: scope is user, which excludes context;/)
        .with.property("index", 1);
    });

    it("an entry with an unknown key, or one that is no object", async () => {
      expect(await refused([{ ...to("7", "a"), expiresAT: new Date() }])).to.include({ input: "expiresAT", index: 0 });
      expect(await refused([to("7", "a"), undefined])).to.include({ input: "publication", index: 1 });
      expect(await refused([to("7", "a"), , to("7", "b")])).to.include({ index: 1 });
    });

    for (const given of [undefined, null, "hello", to("7", "a"), new Set([to("7", "a")])]) {
      it(`${given === null ? "null" : given instanceof Set ? "a set" : typeof given} in place of a list`, async () => {
        const error = await refused(given);
        expect(error).to.include({ input: "publications", index: undefined });
        expect(error.message).to.match(/^publications is .*; allowed: a list of publications\. Fix: pass a list/);
      });
    }
  });

  describe("through the local SNS", () => {
    it("hands each message to the queue with its attributes", async () => {
      const { messaging, sns, sqs } = await startMessaging();
      const arn = messaging.createTopic("topic", {});
      const queue = messaging.createQueue("queue", { Policy: anyone });
      messaging.subscribe(arn, queue.arn, { RawMessageDelivery: "true" });
      const backend = new RelayBackend({ topicArn: arn, clients: { sns } });
      const all = Array.from({ length: 12 }, (_, index) => to(`${index % 3}`, `m${index}`));
      expect(shown(await backend.publishBatch(all))).to.deep.equal(all.map(({ messageId }) => messageId));
      const received = new Map<string | undefined, string | undefined>();
      while (received.size < 12) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
        );
        for (const { Body, MessageAttributes } of Messages) {
          received.set(Body, MessageAttributes?.contextId?.StringValue);
        }
      }
      expect(Object.fromEntries(received)).to.deep.equal(
        Object.fromEntries(all.map(({ message, contextId }) => [message, contextId])),
      );
    });

    it("keeps the order of a session on a FIFO topic, and drops a second publishing of the same messages", async () => {
      const { sns, topicArn: arn, receive, remove } = await startFifo();
      const backend = new RelayBackend({ topicArn: arn, clients: { sns } });
      const all = many(23, "7");
      await backend.publishBatch(all);
      await backend.publishBatch(all);
      const got: (string | undefined)[] = [];
      for (let messages = await receive(); messages.length > 0; messages = await receive()) {
        got.push(...bodies(messages));
        for (const message of messages) await remove(message);
      }
      expect(got).to.deep.equal(all.map(({ message }) => message));
    });
  });
});
