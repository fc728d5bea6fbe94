import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { SqsDeadLetterQueue, SqsRetryQueue } from "../../cli/deadLetters/deadLetterQueue";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../support/boundaries";
import { deadLetter } from "./memoryQueue";

const url = "https://sqs.eu-west-1.amazonaws.com/1/dead";

function clientWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new SQSClient({ ...fakeCredentials, maxAttempts: 1, md5: false, requestHandler });
  return { client, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as object] as const) };
}

describe("SqsDeadLetterQueue", () => {
  it("receives ten dead letters with all attributes, hidden for two minutes, with a long poll", async () => {
    const { client, sent } = clientWith(() => ({
      body: {
        Messages: [
          {
            MessageId: "m1",
            ReceiptHandle: "r1",
            Body: "hello",
            MessageAttributes: { user: { DataType: "String", StringValue: "42" } },
            Attributes: { SentTimestamp: "1764072000000", MessageGroupId: "g" },
          },
        ],
      },
    }));
    expect(await new SqsDeadLetterQueue(client, url).receive()).to.deep.equal([
      {
        id: "m1",
        receiptHandle: "r1",
        body: "hello",
        messageGroupId: "g",
        sentAt: new Date(1764072000000),
        attributes: { user: { DataType: "String", StringValue: "42" } },
      },
    ]);
    expect(sent()).to.deep.equal([
      [
        "ReceiveMessage",
        {
          QueueUrl: url,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: 120,
          WaitTimeSeconds: 1,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["SentTimestamp", "MessageGroupId"],
        },
      ],
    ]);
  });

  it("receives none from an empty queue", async () => {
    const { client } = clientWith(() => ({ body: {} }));
    expect(await new SqsDeadLetterQueue(client, url).receive()).to.deep.equal([]);
  });

  it("counts visible and hidden dead letters", async () => {
    const { client } = clientWith(() => ({
      body: { Attributes: { ApproximateNumberOfMessages: "3", ApproximateNumberOfMessagesNotVisible: "2" } },
    }));
    expect(await new SqsDeadLetterQueue(client, url).count()).to.deep.equal({ visible: 3, hidden: 2 });
  });

  it("releases ten dead letters per call, and counts failures", async () => {
    const { client, sent } = clientWith((_, index) =>
      index === 0
        ? { body: { Failed: [{ Id: "0", Code: "x", SenderFault: true }] } }
        : index === 1
          ? { status: 500, body: {} }
          : { body: {} },
    );
    const handles = Array.from({ length: 23 }, (_, index) => `r${index}`);
    expect(await new SqsDeadLetterQueue(client, url).release(handles)).to.equal(11);
    const entries = sent().map(([, body]) => (body as { Entries: { ReceiptHandle: string }[] }).Entries);
    expect(entries.flat().map(({ ReceiptHandle }) => ReceiptHandle)).to.deep.equal(handles);
    expect(entries[2]).to.deep.equal(
      ["r20", "r21", "r22"].map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 })),
    );
  });

  it("deletes by receipt handle", async () => {
    const { client, sent } = clientWith(() => ({ body: {} }));
    await new SqsDeadLetterQueue(client, url).delete(deadLetter("a", { receiptHandle: "r1" }));
    expect(sent()).to.deep.equal([["DeleteMessage", { QueueUrl: url, ReceiptHandle: "r1" }]]);
  });
});

describe("SqsRetryQueue", () => {
  const attributes = { user: { DataType: "String", StringValue: "42" } };
  const message = { body: "hello", attributes, messageGroupId: "g", deduplicationId: "d" };

  it("sends body, attributes and group, and no deduplication ID, which a standard queue rejects", async () => {
    const { client, sent } = clientWith(() => ({ body: { MessageId: "m2" } }));
    await new SqsRetryQueue(client, url).send(message);
    expect(sent()).to.deep.equal([
      ["SendMessage", { QueueUrl: url, MessageBody: "hello", MessageAttributes: attributes, MessageGroupId: "g" }],
    ]);
  });

  it("sends to a FIFO queue with the deduplication ID", async () => {
    const { client, sent } = clientWith(() => ({ body: { MessageId: "m2" } }));
    await new SqsRetryQueue(client, `${url}.fifo`).send(message);
    expect(sent()[0]?.[1]).to.include({ MessageGroupId: "g", MessageDeduplicationId: "d" });
  });
});
