import { createHash, createHmac } from "node:crypto";
import { createServer, type OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { bundleModule } from "../../components/functions/ownBundle";
import { afterTest } from "../support/afterTest";
import * as unbundled from "./sdkErrors";

interface Answer {
  status: number;
  headers?: OutgoingHttpHeaders;
  body: string;
}

/** A service that answers each call alike, until the test ends. */
async function serviceOf({ status, headers = {}, body }: Answer): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(status, headers).end(body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  afterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const snsError = (code: string, status: number): Answer => ({
  status,
  body:
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error>` +
    "<RequestId>r</RequestId></ErrorResponse>",
});

/** SQS sends the name of the error, and the code that it had in its former protocol. */
const sqsError = (name: string, code: string): Answer => ({
  status: 400,
  headers: { "x-amzn-query-error": `${code};Sender` },
  body: JSON.stringify({ __type: `com.amazonaws.sqs#${name}`, message: "no" }),
});
const missingQueue = "AWS.SimpleQueueService.NonExistentQueue";

const conflict = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
const throughput = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";

describe("the SDK's clients in a bundle", () => {
  let bundled: typeof unbundled;
  before(async () => {
    const text = await bundleModule({ module: "../../tests/bundles/sdkErrors", withReceipts: true });
    const module = { exports: {} };
    // As Lambda's loader does it.
    new Function("module", "exports", "require", text)(module, module.exports, require);
    bundled = module.exports as typeof unbundled;
  });

  for (const [name, service, answer] of [
    ["a failed condition", "dynamodb", { status: 400, body: JSON.stringify({ __type: conflict, message: "no" }) }],
    ["a throttled table", "dynamodb", { status: 400, body: JSON.stringify({ __type: throughput, message: "no" }) }],
    ["a fault", "dynamodb", { status: 500, body: JSON.stringify({ __type: "InternalServerError", message: "no" }) }],
    ["a throttled queue", "sqs", sqsError("RequestThrottled", "RequestThrottled")],
    [
      "a connection that is gone",
      "gateway",
      { status: 410, headers: { "x-amzn-errortype": "GoneException" }, body: "" },
    ],
    ["an unknown error", "gateway", { status: 403, body: JSON.stringify({ message: "Forbidden" }) }],
  ] as [string, unbundled.Service, Answer][]) {
    it(`throw the same error as unbundled, after as many attempts: ${name}`, async () => {
      const endpoint = await serviceOf(answer);
      expect(await bundled.errorOf(service, endpoint)).to.deep.equal(await unbundled.errorOf(service, endpoint));
    });
  }

  for (const [name, service, answer, expected] of [
    ["a topic", "sns", snsError("NotFound", 404), { name: "NotFound", attempts: 1 }],
    ["a topic's rights", "sns", snsError("AuthorizationError", 403), { name: "AuthorizationError", attempts: 1 }],
    ["a throttled topic", "sns", snsError("Throttled", 429), { name: "Throttled", attempts: 2 }],
    ["a topic's fault", "sns", snsError("InternalError", 500), { name: "InternalError", attempts: 2 }],
    ["a queue", "sqs", sqsError("QueueDoesNotExist", missingQueue), { name: missingQueue, attempts: 1 }],
  ] as [string, unbundled.Service, Answer, object][]) {
    it(`name an error by the service's code, not by a class, after as many attempts: ${name}`, async () => {
      const endpoint = await serviceOf(answer);
      const there = (await unbundled.errorOf(service, endpoint)) as { name: string };
      expect(await bundled.errorOf(service, endpoint)).to.deep.equal({ ...there, ...expected });
      expect(there).not.to.include(expected);
      expect({ ...there, ...expected, name: there.name }).to.deep.equal(there);
    });
  }

  it("sign and check with Node's hashes", async () => {
    expect(await bundled.hashesOf("text")).to.deep.equal({
      sha256: createHash("sha256").update("text").digest("hex"),
      hmac: createHmac("sha256", "secret").update("text").digest("hex"),
      md5: createHash("md5").update("text").digest("hex"),
    });
  });
});
