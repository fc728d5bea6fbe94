import { SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { receiptsFromEnvironment as receiptsOfLeanBundle } from "../../../handlers/receipts/noReceipts";
import { NO_RECEIPTS, receiptOf } from "../../../handlers/receipts/receipts";
import { receiptsFromEnvironment, SnsReceipts } from "../../../handlers/receipts/snsReceipts";
import type { Receipt } from "../../../protocol";
import { refusal } from "../../support/refusal";
import {
  fakeCredentials,
  type FakeRequest,
  fakeRequestHandler,
  type FakeResponse,
  RecordedLog,
} from "../../support/boundaries";
import { key, now } from "../history/segments";

const receipt = (seq: number): Receipt =>
  receiptOf(key, { status: "delivered", messageId: `m${seq}`, epoch: "e", seq }, now);

/** The answer of the service, which speaks XML. */
const answer = (failed = ""): FakeResponse => ({
  body: `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Failed>${failed}</Failed><Successful/></PublishBatchResult></PublishBatchResponse>`,
});

function receiptsWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new SNSClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const entries = ({ text }: FakeRequest) => {
    const fields = new URLSearchParams(text);
    const prefix = "PublishBatchRequestEntries.member";
    return [...fields.keys()]
      .filter((name) => name.startsWith(prefix) && name.endsWith(".Message"))
      .map((name) => {
        const member = name.slice(0, -"Message".length);
        const attributes = [1, 2, 3, 4].flatMap((i) => {
          const attribute = `${member}MessageAttributes.entry.${i}.`;
          return fields.has(`${attribute}Name`)
            ? [[fields.get(`${attribute}Name`), fields.get(`${attribute}Value.StringValue`)]]
            : [];
        });
        return {
          message: JSON.parse(fields.get(name) ?? "") as unknown,
          attributes: Object.fromEntries(attributes) as object,
        };
      });
  };
  return { receipts: new SnsReceipts(client, "arn:topic"), requests, sent: () => requests.map(entries) };
}

describe("receiptOf", () => {
  it("names message, session, place and time", () => {
    const context = { callerId: "user#4#2", context: "chat#7#8" };
    const fate = { status: "expired", reason: "retention", messageId: "m1", epoch: "e", seq: 3 } as const;
    expect(receiptOf(context, fate, now)).to.deep.equal({
      status: "expired",
      reason: "retention",
      messageId: "m1",
      user: "4#2",
      context: "chat",
      contextId: "7#8",
      epoch: "e",
      seq: 3,
      at: "2023-11-14T22:13:20.000Z",
    });
  });

  it("has nothing of what is not known", () => {
    expect(receiptOf(key, { status: "dead", messageId: "m1" }, now)).to.have.all.keys(
      ...["status", "messageId", "user", "context", "contextId", "at"],
    );
  });
});

describe("SnsReceipts", () => {
  it("publishes a receipt as JSON, with the attributes that subscriptions filter by", async () => {
    const { receipts, requests, sent } = receiptsWith(() => answer());
    await receipts.publish([receipt(1)]);
    expect(sent()).to.deep.equal([
      [{ message: receipt(1), attributes: { status: "delivered", user: "42", context: "chat" } }],
    ]);
    expect(new URLSearchParams(requests[0]?.text).get("TopicArn")).to.equal("arn:topic");
  });

  it("publishes ten at a time, and each once", async () => {
    const { receipts, sent } = receiptsWith(() => answer());
    const all = Array.from({ length: 23 }, (_, i) => receipt(i + 1));
    await receipts.publish(all);
    expect(sent().map((batch) => batch.length)).to.deep.equal([10, 10, 3]);
    expect(
      sent()
        .flat()
        .map(({ message }) => message),
    ).to.deep.equal(all);
  });

  it("asks for nothing where there is nothing to publish", async () => {
    const { receipts, requests } = receiptsWith(() => answer());
    await receipts.publish([]);
    expect(requests).to.deep.equal([]);
  });

  it("throws where the topic has not taken one of a batch", async () => {
    const failed =
      "<member><Id>1</Id><Code>InternalError</Code><Message>try again</Message><SenderFault>false</SenderFault></member>";
    const { receipts } = receiptsWith(() => answer(failed));
    expect((await refusal(receipts.publish([receipt(1), receipt(2)]))).message).to.equal(
      "1 of 2 receipts were not accepted by the topic: InternalError: try again",
    );
  });

  it("throws where the topic fails", async () => {
    const error =
      "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>denied</Message></Error></ErrorResponse>";
    const { receipts } = receiptsWith(() => ({ status: 403, body: error }));
    expect((await refusal(receipts.publish([receipt(1)]))).message).to.equal("denied");
  });

  it("hands the signal that stops it to the client", async () => {
    const { receipts, requests } = receiptsWith(() => answer());
    await receipts.publish([receipt(1)], AbortSignal.abort());
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true]);
  });
});

describe("receiptsFromEnvironment", () => {
  it("returns receipts that nothing wants if there is no topic", async () => {
    const receipts = receiptsFromEnvironment({});
    expect(receipts.wanted).to.equal(false);
    await receipts.publish([receipt(1)]);
  });

  it("returns wanted receipts if there is a topic", () => {
    expect(receiptsFromEnvironment({ RECEIPTS_TOPIC_ARN: "arn:topic" }).wanted).to.equal(true);
  });
});

describe("receiptsFromEnvironment of a bundle without receipts", () => {
  it("returns receipts that nothing wants, and logs nothing", () => {
    const log = new RecordedLog();
    expect(receiptsOfLeanBundle({}, log)).to.equal(NO_RECEIPTS);
    expect(log.lines).to.deep.equal([]);
  });

  it("logs a topic, which an update that turns receipts on sets before it uploads the code, and still delivers", () => {
    const log = new RecordedLog();
    expect(receiptsOfLeanBundle({ RECEIPTS_TOPIC_ARN: "arn:topic" }, log)).to.equal(NO_RECEIPTS);
    expect(log.lines).to.deep.equal([
      { level: "warn", event: "receipts not published: this bundle was built without them" },
    ]);
  });
});
