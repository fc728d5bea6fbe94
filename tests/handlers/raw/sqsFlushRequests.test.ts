import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { createHash } from "node:crypto";
import { parseFlushRequest } from "../../../handlers/raw/flushRequests";
import { flushRequestsFromEnvironment, SqsFlushRequests } from "../../../handlers/raw/sqsFlushRequests";
import { fakeCredentials, fakeRequestHandler } from "../../support/boundaries";

const key = { callerId: "user#42", context: "chat#7" };
const url = "https://sqs.eu-west-1.amazonaws.com/111122223333/flush";

describe("flush requests in SQS", () => {
  it("are sent to the queue, which alone delays them, as flush reads them", async () => {
    const handler = fakeRequestHandler(({ text }) => {
      const { MessageBody } = JSON.parse(text) as { MessageBody: string };
      return { body: { MD5OfMessageBody: createHash("md5").update(MessageBody).digest("hex") } };
    });
    const client = new SQSClient({ ...fakeCredentials, requestHandler: handler.requestHandler });
    await new SqsFlushRequests(client, url).send({ ...key, other: "x" } as typeof key, "c1");
    expect(handler.requests.map(({ target }) => target)).to.deep.equal(["SendMessage"]);
    const sent = JSON.parse(handler.requests[0]?.text ?? "") as Record<string, string>;
    expect(Object.keys(sent).sort()).to.deep.equal(["MessageBody", "QueueUrl"]);
    expect(sent.QueueUrl).to.equal(url);
    expect(parseFlushRequest(sent.MessageBody ?? "")).to.deep.equal({ ...key, connectionId: "c1" });
  });

  it("fail if the queue does not accept them", async () => {
    const handler = fakeRequestHandler(() => ({ status: 400, body: { __type: "QueueDoesNotExist", message: "no" } }));
    const client = new SQSClient({ ...fakeCredentials, requestHandler: handler.requestHandler });
    const sent = new SqsFlushRequests(client, url).send(key, "c1").catch((error: unknown) => error);
    expect(await sent).to.be.instanceOf(Error);
  });

  it("need FLUSH_QUEUE_URL", () => {
    expect(() => flushRequestsFromEnvironment({})).to.throw("FLUSH_QUEUE_URL is not set in the function's environment");
  });
});
