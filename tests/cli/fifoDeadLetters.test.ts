import { type Message, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { messageGroupOf } from "../../backend/messageGroup";
import { find } from "../../cli/deadLetters/find";
import { SqsDeadLetterQueue, SqsRetryQueue } from "../../cli/deadLetters/deadLetterQueue";
import { purge } from "../../cli/deadLetters/purge";
import { redrive } from "../../cli/deadLetters/redrive";
import { noteScan } from "../../cli/deadLetters/report";
import { credentials, region } from "../../local/account";
import { Messaging } from "../../local/messaging/messaging";
import { Trace } from "../../local/trace/trace";
import { attributesOf, deadLetter, MemoryLetterQueue, MemoryRetryQueue } from "./memoryQueue";

const { signal } = new AbortController();
const now = () => new Date("2026-11-25T12:00:00Z");

describe("dead letters of a FIFO queue", () => {
  let messaging: Messaging;
  let sqs: SQSClient;
  let deadUrl: string;
  let queueUrl: string;

  beforeEach(async () => {
    messaging = await Messaging.start({ trace: new Trace(), log: () => undefined });
    sqs = new SQSClient({ endpoint: messaging.endpoint, region, credentials, maxAttempts: 1 });
    deadUrl = messaging.createQueue("dead.fifo", {}).url;
    queueUrl = messaging.createQueue("queue.fifo", {}).url;
  });
  afterEach(async () => {
    sqs.destroy();
    await messaging.close();
  });

  const deadLetters = () => new SqsDeadLetterQueue(sqs, deadUrl);
  const redriveAll = (filter = {}) =>
    redrive(deadLetters(), new SqsRetryQueue(sqs, queueUrl), { filter, dryRun: false, now, signal });

  /** Dead letters of one session, in order. */
  async function die(user: string, ids: string[], reason = "throttled"): Promise<void> {
    const key = { callerId: `user#${user}`, context: "chat#7" };
    for (const messageId of ids) {
      const values = { user, context: "chat", contextId: "7", messageId, reason, attempts: "3" };
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: deadUrl,
          MessageBody: messageId,
          MessageGroupId: messageGroupOf(key),
          MessageDeduplicationId: messageId,
          MessageAttributes: attributesOf({ ...values, originalMessageId: `first-${messageId}` }),
        }),
      );
    }
  }

  /** What the retry queue holds of a session, in order. */
  async function retried(): Promise<Message[]> {
    const all: Message[] = [];
    for (;;) {
      const options = { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ["All" as const] };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, ...options }));
      if (Messages.length === 0) return all;
      all.push(...Messages);
      for (const { ReceiptHandle } of Messages) {
        await new SqsDeadLetterQueue(sqs, queueUrl).delete(deadLetter("", { receiptHandle: ReceiptHandle }));
      }
    }
  }

  const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

  it("are redriven in the order of each session, in its group, each with its own deduplication ID", async () => {
    await die("a", ids("a", 25));
    await die("b", ids("b", 12));
    const { letters: done, scan } = await redriveAll();
    expect(done.map(({ outcome }) => outcome)).to.deep.equal(Array(37).fill("redriven"));
    expect(scan).to.include({ letters: 37, ended: "all-seen" });
    const messages = await retried();
    const of = (prefix: string) => messages.filter(({ Body }) => Body?.startsWith(prefix));
    expect(of("a").map(({ Body }) => Body)).to.deep.equal(ids("a", 25));
    expect(of("b").map(({ Body }) => Body)).to.deep.equal(ids("b", 12));
    const groups = new Set(of("a").map(({ Attributes }) => Attributes?.MessageGroupId));
    expect([...groups]).to.deep.equal([messageGroupOf({ callerId: "user#a", context: "chat#7" })]);
    const given = messages.map(({ Attributes }) => String(Attributes?.MessageDeduplicationId));
    expect(new Set(given)).to.have.lengthOf(37);
    given.forEach((id) => expect(id).to.match(/^[0-9a-f-]{36}$/));
  });

  it("are sent once if one could not be deleted and is redriven again within five minutes", async () => {
    await die("a", ["a0"]);
    const queue = deadLetters();
    queue.delete = () => Promise.reject(new Error("no"));
    const retryQueue = new SqsRetryQueue(sqs, queueUrl);
    const first = await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal });
    expect(first.letters[0]?.outcome).to.equal("failed");
    const second = await redriveAll();
    expect(second.letters[0]?.outcome).to.equal("redriven");
    expect(await retried()).to.have.lengthOf(1);
  });

  it("are listed, ten of each session, with a note that there are more", async () => {
    await die("a", ids("a", 12));
    await die("b", ids("b", 2));
    const found = await find(deadLetters(), ({ body }) => body, { filter: {}, signal });
    expect(found.letters).to.have.members([...ids("a", 10), ...ids("b", 2)]);
    expect(found.scan).to.include({ letters: 12, visible: 14, ended: "fewer-than-counted", notReleased: 0 });
    const noted: string[] = [];
    const terminal = { note: (text: string) => noted.push(text) } as unknown as Parameters<typeof noteScan>[3];
    noteScan(found.scan, 12, { name: "dead-letter", isFifo: deadLetters().isFifo }, terminal);
    expect(noted[1]).to.match(/^Counted at the start: about 14 dead letters\..* at most ten dead letters of a session/);
  });

  it("are visible again, in order, after they were read", async () => {
    await die("a", ids("a", 12));
    await find(deadLetters(), ({ body }) => body, { filter: {}, signal });
    const again = await find(deadLetters(), ({ body }) => body, { filter: {}, signal });
    expect(again.letters).to.deep.equal(ids("a", 10));
  });

  it("are purged, even more than ten of a session", async () => {
    await die("a", ids("a", 25));
    const { letters: done } = await purge(deadLetters(), { filter: {}, signal });
    expect(done.map(({ outcome }) => outcome)).to.deep.equal(Array(25).fill("purged"));
    expect(await deadLetters().count()).to.deep.equal({ visible: 0, hidden: 0 });
  });

  it("are not redriven after one of their session could not be sent, but those of other sessions are", async () => {
    const of = (id: string, messageGroupId: string) => deadLetter(id, { messageGroupId });
    const queue = new MemoryLetterQueue([of("a1", "a"), of("b1", "b"), of("a2", "a"), of("b2", "b")]);
    queue.isFifo = true;
    const retryQueue = new MemoryRetryQueue();
    retryQueue.fail = ({ body }) => (body === "body of a1" ? new Error("throttled") : undefined);
    const { letters: done } = await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal });
    expect(done.map(({ id, outcome }) => [id, outcome])).to.deep.equal([
      ["a1", "failed"],
      ["b1", "redriven"],
      ["a2", "skipped"],
      ["b2", "redriven"],
    ]);
    expect(queue.visible).to.deep.equal(["a1", "a2"]);
  });

  it("are visited one by one, each after the previous one is done, even if that failed", async () => {
    const queue = new MemoryLetterQueue(["a1", "a2"].map((id) => deadLetter(id, { messageGroupId: "a" })));
    queue.isFifo = true;
    const events: string[] = [];
    const retryQueue = {
      async send({ body }: { body: string }) {
        events.push(`begin ${body}`);
        await new Promise(setImmediate);
        events.push(`end ${body}`);
      },
    };
    queue.failDelete = new Error("no");
    await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal });
    expect(events).to.deep.equal(["begin body of a1", "end body of a1", "begin body of a2", "end body of a2"]);
  });
});
