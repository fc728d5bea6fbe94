import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type OutgoingHttpHeaders, type RequestListener } from "node:http";
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
  return await listening((request, response) => {
    request.resume().on("end", () => response.writeHead(status, headers).end(body));
  });
}

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
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

  it("send the same requests as unbundled, and read the answers alike", async () => {
    const item = {
      id: { S: "i" },
      b: { B: "Yg==" },
      m: { M: { l: { L: [{ N: "1" }, { NULL: true }] }, s: { SS: ["a"] } } },
    };
    const values = { Item: item, Items: [item], Attributes: item, LastEvaluatedKey: { id: { S: "i" } }, Count: 1 };
    const result =
      "<PublishBatchResponse><PublishBatchResult><Successful><member><Id>0</Id><MessageId>m</MessageId></member></Successful>" +
      "<Failed><member><Id>1</Id><Code>InternalError</Code><Message>no</Message><SenderFault>false</SenderFault></member>" +
      "</Failed></PublishBatchResult></PublishBatchResponse>";
    const answerTo = (target: string, isQuery: boolean): string => {
      if (isQuery) return result;
      if (target.endsWith(".BatchGetItem")) {
        return JSON.stringify({ Responses: { t: [item] }, UnprocessedKeys: { t: { Keys: [{ id: { S: "j" } }] } } });
      }
      if (target.startsWith("DynamoDB")) return JSON.stringify(values);
      if (target.endsWith("Batch")) {
        return JSON.stringify({ Successful: [{ Id: "0" }], Failed: [{ Id: "1", Code: "c", SenderFault: true }] });
      }
      if (target !== "")
        return JSON.stringify({ MessageId: "m", MD5OfMessageBody: "92eb5ffee6ae2fec3ad71c777531578f" });
      return JSON.stringify({ connectedAt: "2026-11-29T01:02:03Z", lastActiveAt: "2026-11-29T01:02:03Z" });
    };
    const calls: unknown[] = [];
    const endpoint = await listening(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { "x-amz-target": target = "", "content-type": type } = request.headers;
      calls.push([request.method, request.url, target, type, body]);
      response.end(answerTo(String(target), body.startsWith("Action=") || type?.includes("form-urlencoded") === true));
    });
    const there = await unbundled.answersFrom(endpoint);
    const sent = calls.splice(0);
    expect(sent).to.have.length(12);
    expect(there[5]).to.have.nested.property("Responses.t[0].m.M.s.SS[0]", "a");
    expect(there[8]).to.have.nested.property("Failed[0].Code", "InternalError");
    expect(await bundled.answersFrom(endpoint)).to.deep.equal(there);
    expect(calls).to.deep.equal(sent);
  });

  it("call the same endpoints as unbundled, in every region of every partition and in one that is new", () => {
    const file = require
      .resolve("@aws-sdk/core")
      .replace(/dist-cjs.*/, "dist-es/submodules/client/util-endpoints/lib/aws/partitions.js");
    const regions = [...readFileSync(file, "utf8").matchAll(/^ {16}"([\w-]+)": \{$/gm)].map(
      ([, region = ""]) => region,
    );
    expect(regions).to.include.members(["eu-west-1", "aws-global", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"]);
    for (const region of [...regions, "eu-new-9", "cn-new-9", "nowhere"]) {
      for (const flags of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as [boolean, boolean][]) {
        const endpoints = unbundled.endpointsIn(region, ...flags);
        expect(bundled.endpointsIn(region, ...flags), region).to.deep.equal(endpoints);
      }
    }
    expect(bundled.endpointsIn("cn-north-1", false, false)[1]).to.equal("https://sqs.cn-north-1.amazonaws.com.cn/");
  });

  it("sign and check with Node's hashes", async () => {
    expect(await bundled.hashesOf("text")).to.deep.equal({
      sha256: createHash("sha256").update("text").digest("hex"),
      hmac: createHmac("sha256", "secret").update("text").digest("hex"),
      md5: createHash("md5").update("text").digest("hex"),
    });
  });
});
