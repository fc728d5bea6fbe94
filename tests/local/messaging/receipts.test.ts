import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  type Message,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  QueueDeletedRecently,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { startMessaging } from "./messagingSetUp";

async function start({ timeScale, name = "queue" }: { timeScale?: number; name?: string } = {}) {
  const { messaging, sqs } = await startMessaging({ timeScale });
  const { url: QueueUrl } = messaging.createQueue(name, {});
  const fifo = name.endsWith(".fifo") ? { MessageGroupId: "g", MessageDeduplicationId: "1" } : {};
  const send = (message: Partial<SendMessageCommandInput> = {}) =>
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "m", ...fifo, ...message }));
  const sendBatch = (entries: Partial<SendMessageBatchRequestEntry>[]) =>
    sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries as SendMessageBatchRequestEntry[] }));
  const receive = async (options: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> =>
    (await sqs.send(new ReceiveMessageCommand({ QueueUrl, ...options }))).Messages ?? [];
  const remove = (ReceiptHandle: string | undefined, url = QueueUrl) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
  const change = (ReceiptHandle: string | undefined, VisibilityTimeout = 60) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
  return { messaging, sqs, QueueUrl, send, sendBatch, receive, remove, change };
}

describe("a receipt handle", () => {
  it("that is made up is refused on delete and on a change of visibility", async () => {
    const { remove, change } = await start();
    for (const handle of ["made-up", "made.up", "AQEB+/=="]) {
      expect(await refusal(remove(handle))).to.be.instanceOf(ReceiptHandleIsInvalid);
      const error = await refusal(change(handle));
      expect(error).to.be.instanceOf(ReceiptHandleIsInvalid);
      expect(error.message).to.contain(handle);
    }
  });

  it("that is made up fails its own entry of a batch", async () => {
    const { sqs, QueueUrl, send, receive } = await start();
    await send();
    const [{ ReceiptHandle } = {}] = await receive();
    const entries = [
      { Id: "good", ReceiptHandle, VisibilityTimeout: 60 },
      { Id: "bad", ReceiptHandle: "made-up", VisibilityTimeout: 60 },
    ];
    for (const command of [
      new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: entries }),
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: entries.map(({ Id, ReceiptHandle: handle }) => ({ Id, ReceiptHandle: handle })),
      }),
    ]) {
      const { Successful, Failed } = await sqs.send(command as DeleteMessageBatchCommand);
      expect(Successful).to.deep.equal([{ Id: "good" }]);
      expect(Failed?.map(({ Id, Code }) => [Id, Code])).to.deep.equal([["bad", "ReceiptHandleIsInvalid"]]);
    }
  });

  it("of another queue is refused", async () => {
    const { messaging, send, receive, remove } = await start();
    const other = messaging.createQueue("other", {});
    await send();
    const [{ ReceiptHandle } = {}] = await receive();
    expect(await refusal(remove(ReceiptHandle, other.url))).to.be.instanceOf(ReceiptHandleIsInvalid);
  });

  it("deletes once, and succeeds again afterwards", async () => {
    const { send, receive, remove, change } = await start();
    await send();
    const [{ ReceiptHandle } = {}] = await receive();
    await remove(ReceiptHandle);
    await remove(ReceiptHandle);
    const error = await refusal(change(ReceiptHandle));
    expect(error.name).to.equal("InvalidParameterValue");
    expect(error.message).to.contain("Message does not exist or is not available for visibility timeout change");
  });

  it("deletes also once its visibility timeout has ended, unless the message was received again", async () => {
    const { send, receive, remove } = await start();
    await send();
    const [first] = await receive({ VisibilityTimeout: 0 });
    const [second] = await receive({ VisibilityTimeout: 0 });
    await remove(first?.ReceiptHandle);
    const [third] = await receive({ VisibilityTimeout: 0 });
    expect(third?.MessageId).to.equal(second?.MessageId);
    await remove(third?.ReceiptHandle);
    expect(await receive()).to.deep.equal([]);
  });

  it("of a FIFO queue has expired with its visibility timeout", async () => {
    const { send, receive, remove } = await start({ name: "queue.fifo" });
    await send();
    const [{ ReceiptHandle } = {}] = await receive({ VisibilityTimeout: 0 });
    const error = await refusal(remove(ReceiptHandle));
    expect(error.name).to.equal("InvalidParameterValue");
    expect(error.message).to.contain("The receipt handle has expired");
  });

  it("keeps a message invisible for 12 hours after it was received, and no longer", async () => {
    const { send, receive, change } = await start({ timeScale: 1_000 });
    await send();
    const [{ ReceiptHandle } = {}] = await receive({ VisibilityTimeout: 43_200 });
    const wholeTime = () =>
      change(ReceiptHandle, 43_200).then(
        () => undefined,
        (reason: Error) => reason,
      );
    // Taken until a second has passed since the receive, which is a millisecond here.
    let error = await wholeTime();
    while (!error) error = await wholeTime();
    expect(error.name).to.equal("InvalidParameterValue");
    expect(error.message).to.contain("beyond the limit [43200 seconds]");
    await change(ReceiptHandle, 30_000);
  });
});

describe("a purge", () => {
  it("is refused within 60 seconds of the last one of that queue", async () => {
    const { messaging, sqs, QueueUrl } = await start();
    const other = messaging.createQueue("other", {});
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    await sqs.send(new PurgeQueueCommand({ QueueUrl: other.url }));
    const error = await refusal(sqs.send(new PurgeQueueCommand({ QueueUrl })));
    expect(error).to.be.instanceOf(PurgeQueueInProgress);
    expect(error.message).to.equal("Only one PurgeQueue operation on queue is allowed every 60 seconds.");
  });

  it("is taken again after them, as the time scale has them", async () => {
    const { sqs, QueueUrl } = await start({ timeScale: 1e9 });
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
    await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  });
});

describe("a queue of an SDK client", () => {
  it("is not created within 60 seconds after one of its name was deleted", async () => {
    const { sqs, QueueUrl } = await start();
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    const error = await refusal(sqs.send(new CreateQueueCommand({ QueueName: "queue" })));
    expect(error).to.be.instanceOf(QueueDeletedRecently);
  });

  const refusals: [claim: string, name: string, attributes: Record<string, string>, message: RegExp][] = [
    ["a name of 82 characters", "q".repeat(82), {}, /QueueName.*has 82/],
    ["a FIFO name without FifoQueue", "a.fifo", {}, /\.fifo/],
    ["FifoQueue without a FIFO name", "a", { FifoQueue: "true" }, /\.fifo/],
    ["an attribute that there is not", "a", { Visibility: "1" }, /Unknown Attribute Visibility/],
    ["an attribute that is neither true nor false", "a", { SqsManagedSseEnabled: "yes" }, /true or false/],
  ];
  for (const [claim, QueueName, Attributes, message] of refusals) {
    it(`is refused with ${claim}`, async () => {
      const { sqs } = await start();
      expect((await refusal(sqs.send(new CreateQueueCommand({ QueueName, Attributes })))).message).to.match(message);
    });
  }

  it("takes attributes that fauxqs itself does not know", async () => {
    const { messaging, sqs, QueueUrl } = await start();
    const RedriveAllowPolicy = JSON.stringify({ redrivePermission: "denyAll" });
    const Attributes = { RedriveAllowPolicy, SqsManagedSseEnabled: "true" };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    expect(messaging.queueAttributes(QueueUrl)).to.include(Attributes);
  });
});

describe("a receive", () => {
  const refusals: Partial<ReceiveMessageCommandInput>[] = [
    { MaxNumberOfMessages: 0 },
    { MaxNumberOfMessages: 11 },
    { WaitTimeSeconds: 21 },
    { WaitTimeSeconds: -1 },
    { WaitTimeSeconds: 0.5 },
  ];
  for (const options of refusals) {
    it(`is refused with ${JSON.stringify(options)}`, async () => {
      const { receive } = await start();
      const error = await refusal(receive(options));
      expect(error.name).to.equal("InvalidParameterValue");
      expect(error.message).to.match(/MaxNumberOfMessages.*between 1 and 10|WaitTimeSeconds.*between 0 and 20/);
    });
  }
});

describe("a sent batch", () => {
  it("has each of its entries in one of both lists", async () => {
    const { sendBatch, receive } = await start();
    const { Successful, Failed } = await sendBatch([
      { Id: "good", MessageBody: "good" },
      { Id: "empty", MessageBody: "" },
      { Id: "none" },
      { Id: "control", MessageBody: "a\u0001" },
      { Id: "delay", MessageBody: "m", DelaySeconds: 0.5 },
      { Id: "group", MessageBody: "m", MessageGroupId: "a b" },
      { Id: "attribute", MessageBody: "m", MessageAttributes: { a: { DataType: "String", StringValue: "\u0001" } } },
      { Id: "type", MessageBody: "m", MessageAttributes: { a: { DataType: "Text", StringValue: "x" } } },
    ]);
    expect(Successful?.map(({ Id }) => Id)).to.deep.equal(["good"]);
    expect(Failed?.map(({ Id, Code }) => [Id, Code])).to.deep.equal([
      ["empty", "MissingParameter"],
      ["none", "MissingParameter"],
      ["control", "InvalidMessageContents"],
      ["delay", "InvalidParameterValue"],
      ["group", "InvalidParameterValue"],
      ["attribute", "InvalidMessageContents"],
      ["type", "InvalidParameterValue"],
    ]);
    expect((await receive({ MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).to.deep.equal(["good"]);
  });

  it("has all of its entries in the list of those that failed, where all did", async () => {
    const { sendBatch } = await start();
    const { Successful = [], Failed } = await sendBatch([{ Id: "1", MessageBody: "" }]);
    expect(Successful).to.deep.equal([]);
    expect(Failed?.map(({ Id }) => Id)).to.deep.equal(["1"]);
  });

  const m = (Id: string, MessageBody = "m") => ({ Id, MessageBody });
  const refusals: [claim: string, entries: Partial<SendMessageBatchRequestEntry>[], name: string][] = [
    ["no entries", [], "EmptyBatchRequest"],
    ["eleven entries", Array.from({ length: 11 }, (_, n) => m(`${n}`)), "TooManyEntriesInBatchRequest"],
    ["one id twice, also where one of them is refused", [m("1"), m("1", "")], "BatchEntryIdsNotDistinct"],
    ["an id of 81 characters", [m("x".repeat(81))], "InvalidBatchEntryId"],
    ["more than 1 MiB", [m("1", "x".repeat(1_048_576)), m("2")], "BatchRequestTooLong"],
  ];
  for (const [claim, entries, name] of refusals) {
    it(`is refused as a whole with ${claim}`, async () => {
      const { sendBatch } = await start();
      expect((await refusal(sendBatch(entries))).name).to.equal(name);
    });
  }
});

describe("a sent message", () => {
  it("may have every character that SQS allows, and none other", async () => {
    const { send, receive } = await start();
    const MessageBody = "\t\n\r \ud7ff\ue000\ufffd\u{10000}\u{10ffff}😀";
    await send({ MessageBody });
    expect((await receive()).map(({ Body }) => Body)).to.deep.equal([MessageBody]);
    for (const character of ["\u0000", "\u0008", "\u000b", "\u001f", "\ufffe", "\uffff"]) {
      const error = await refusal(send({ MessageBody: `a${character}` }));
      expect(error.name, JSON.stringify(character)).to.match(/InvalidMessageContents/);
    }
  });
});
