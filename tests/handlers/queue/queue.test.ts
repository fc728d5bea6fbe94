import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { SqsMessageQueue } from "../../../handlers/queue/queue";
import {
  fakeCredentials,
  type FakeRequest,
  fakeRequestHandler,
  type FakeResponse,
  RecordedLog,
} from "../../support/boundaries";

function queueWith(respond: (request: FakeRequest, index: number) => FakeResponse, suffix = "") {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const log = new RecordedLog();
  const client = new SQSClient({ ...fakeCredentials, maxAttempts: 1, md5: false, requestHandler });
  const urls = { queueUrl: "https://sqs.test/1/queue", deadLetterQueueUrl: `https://sqs.test/1/dead${suffix}` };
  return {
    queue: new SqsMessageQueue(client, urls, log),
    log,
    sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as { Entries: unknown[] }] as const),
  };
}

const visibilities = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    messageId: `own-${i}`,
    sqsMessageId: `m${i}`,
    receiptHandle: `r${i}`,
    visibilityTimeoutSeconds: i,
  }));

describe("SqsMessageQueue", () => {
  it("changes the visibility of ten messages in one call", async () => {
    const { queue, sent, log } = queueWith(() => ({ body: { Successful: [], Failed: [] } }));
    await queue.changeVisibility(visibilities(10));
    expect(sent()).to.deep.equal([
      [
        "ChangeMessageVisibilityBatch",
        {
          QueueUrl: "https://sqs.test/1/queue",
          Entries: visibilities(10).map(({ receiptHandle, visibilityTimeoutSeconds }, i) => ({
            Id: String(i),
            ReceiptHandle: receiptHandle,
            VisibilityTimeout: visibilityTimeoutSeconds,
          })),
        },
      ],
    ]);
    expect(log.lines).to.deep.equal([]);
  });

  it("changes the visibility of more in several calls, and logs the one that fails", async () => {
    const { queue, sent, log } = queueWith((_, index) =>
      index === 1
        ? { status: 403, body: { __type: "AccessDenied", message: "no" } }
        : { body: { Successful: [], Failed: [] } },
    );
    await queue.changeVisibility(visibilities(23));
    expect(sent().map(([, { Entries }]) => Entries.length)).to.deep.equal([10, 10, 3]);
    expect(log.lines).to.have.lengthOf(1);
    const range = (prefix: string) => Array.from({ length: 10 }, (_, i) => `${prefix}${i + 10}`);
    expect(log.lines[0]).to.deep.include({
      level: "error",
      event: "visibility not changed",
      error: "AccessDenied",
      messageIds: range("own-"),
      sqsMessageIds: range("m"),
    });
  });

  it("logs an entry that fails in a call that does not", async () => {
    const { queue, log } = queueWith(() => ({
      body: {
        Successful: [],
        Failed: [{ Id: "1", SenderFault: true, Code: "ReceiptHandleIsInvalid", Message: "old" }],
      },
    }));
    await queue.changeVisibility(visibilities(2));
    expect(log.lines).to.deep.equal([
      {
        level: "warn",
        event: "visibility not changed",
        messageId: "own-1",
        sqsMessageId: "m1",
        error: "ReceiptHandleIsInvalid",
        errorMessage: "old",
      },
    ]);
  });

  it("sends a dead letter with its attributes, binary ones encoded once", async () => {
    const { queue, sent } = queueWith(() => ({ body: { MessageId: "d1" } }));
    await queue.deadLetter({
      body: "hello",
      attributes: {
        user: { dataType: "String", stringValue: "42" },
        attempts: { dataType: "Number", stringValue: "3" },
        // As Lambda's events have them, empty lists included.
        trace: { dataType: "Binary", binaryValue: "AQI=", stringListValues: [], binaryListValues: [] },
      },
      messageGroupId: undefined,
      sqsMessageId: "m1",
      dropped: [],
    });
    expect(sent()).to.deep.equal([
      [
        "SendMessage",
        {
          QueueUrl: "https://sqs.test/1/dead",
          MessageBody: "hello",
          MessageAttributes: {
            user: { DataType: "String", StringValue: "42" },
            attempts: { DataType: "Number", StringValue: "3" },
            trace: { DataType: "Binary", BinaryValue: "AQI=" },
          },
        },
      ],
    ]);
  });

  it("sends a dead letter in the group that its message came in", async () => {
    const { queue, sent } = queueWith(() => ({ body: { MessageId: "d1" } }));
    await queue.deadLetter({ body: "hello", attributes: {}, messageGroupId: "g1", sqsMessageId: "m1", dropped: [] });
    expect(sent()[0]?.[1]).to.include({ QueueUrl: "https://sqs.test/1/dead", MessageGroupId: "g1" });
    // A standard queue refuses it.
    expect(sent()[0]?.[1]).not.to.have.property("MessageDeduplicationId");
  });

  it("sends a dead letter to a FIFO queue with an id that is the message's, and of its group", async () => {
    const { queue, sent } = queueWith(() => ({ body: { MessageId: "d1" } }), ".fifo");
    const deadLetter = { body: "hello", attributes: {}, messageGroupId: "g1", sqsMessageId: "m1", dropped: [] };
    await queue.deadLetter(deadLetter);
    await queue.deadLetter({ ...deadLetter, body: "the same once more" });
    await queue.deadLetter({ ...deadLetter, sqsMessageId: "redriven, and dead again" });
    await queue.deadLetter({ ...deadLetter, messageGroupId: "g2" });
    const ids = sent().map(([, body]) => (body as { MessageDeduplicationId?: string }).MessageDeduplicationId);
    expect(sent()[0]?.[1]).to.include({ QueueUrl: "https://sqs.test/1/dead.fifo", MessageGroupId: "g1" });
    ids.forEach((id) => expect(id).to.match(/^[0-9a-f]{64}$/));
    expect(ids[1]).to.equal(ids[0]);
    expect(new Set(ids)).to.have.lengthOf(3);
  });

  it("throws where a dead letter is not taken", async () => {
    const { queue } = queueWith(() => ({ status: 403, body: { __type: "AccessDenied", message: "no" } }));
    const deadLetter = { body: "x", attributes: {}, messageGroupId: undefined, sqsMessageId: "m1", dropped: [] };
    const answer = await queue.deadLetter(deadLetter).catch((error: Error) => error);
    expect(answer).to.have.property("message", "no");
  });
});
