import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { ManagementApiConnections } from "../../../handlers/connections/connectionsClient";
import { deliver } from "../../../handlers/deliver/deliver";
import { DynamoDbPartialDeliveries } from "../../../handlers/deliver/partialDeliveries";
import { EmbeddedMetrics } from "../../../handlers/metrics";
import { SqsMessageQueue } from "../../../handlers/queue/queue";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { fakeCredentials, fakeRequestHandler, type FakeResponse, RecordedLog } from "../../support/boundaries";
import { now } from "./deliverSetUp";
import { sqsEvent, sqsRecord } from "../../support/events";

/** The deployed adapters, with services that answer what a test says; everything that reaches stdout is recorded. */
function withServices(given: {
  item?: Record<string, { S?: string; N?: string }> | "fails";
  gateway?: FakeResponse | "unreachable";
  letters?: FakeResponse;
  visibility?: FakeResponse;
}) {
  const item = {
    caller_id: { S: "user#42" },
    context: { S: "chat#7" },
    connection_id: { S: "c1" },
    connected_at: { N: "0" },
    expiration_date: { N: String(now / 1000 + 60) },
    ...(given.item !== "fails" && given.item),
  };
  const table = fakeRequestHandler(({ target }) => {
    if (given.item === "fails") return { status: 400, body: { __type: "ValidationException", message: "no" } };
    return { body: target === "BatchGetItem" ? { Responses: { sessions: [item] } } : { Item: item } };
  });
  const gateway = fakeRequestHandler(() => {
    if (given.gateway === "unreachable")
      throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    return given.gateway ?? {};
  });
  const queues = fakeRequestHandler(({ target }) =>
    target === "SendMessage" ? (given.letters ?? {}) : (given.visibility ?? { body: { Successful: [], Failed: [] } }),
  );
  const log = new RecordedLog();
  const metrics: string[] = [];
  const client = { ...fakeCredentials, maxAttempts: 1 };
  const tableClient = new DynamoDBClient({ ...client, requestHandler: table.requestHandler });
  const handle = deliver({
    sessions: new DynamoDbSessionStore(tableClient, { tableName: "sessions" }),
    partials: new DynamoDbPartialDeliveries(tableClient, { tableName: "sessions" }),
    connectionsOfSession: "all",
    connections: new ManagementApiConnections(
      new ApiGatewayManagementApiClient({
        ...client,
        endpoint: "https://api.test/live",
        requestHandler: gateway.requestHandler,
      }),
    ),
    queue: new SqsMessageQueue(
      new SQSClient({ ...client, md5: false, useQueueUrlAsEndpoint: false, requestHandler: queues.requestHandler }),
      { queueUrl: "https://sqs.test/1/queue", deadLetterQueueUrl: "https://sqs.test/1/dead" },
      log,
    ),
    metrics: new EmbeddedMetrics("relay", "INFO", (line) => metrics.push(line)),
    log,
    now: () => now,
    maxAttempts: 5,
    backoff: { minSeconds: 2, maxSeconds: 120 },
  });
  return { handle, log, sent: () => queues.requests, written: () => log.text + metrics.join("\n") };
}

describe("deliver: its log and metrics", () => {
  const secret = "s3cr3t";
  const refused = { status: 400, body: { __type: "InvalidMessageContents", message: "no" } };
  /** The marker is in every place where a backend may put confidential text. */
  const secretRecord = (given: Parameters<typeof sqsRecord>[0] = {}) =>
    sqsRecord({
      body: `{"text":"${secret}"}`,
      ...given,
      attributes: {
        reason: secret,
        trace: secret,
        authorization: `Bearer ${secret}`,
        a: secret,
        b: secret,
        c: secret,
        originalMessageId: secret.repeat(30),
        ...given.attributes,
      },
      rawAttributes: {
        image: { dataType: "Binary", binaryValue: Buffer.from(secret).toString("base64") },
        ...given.rawAttributes,
      },
    });

  for (const [name, reason, services, given] of [
    ["was delivered", "delivered", {}, {}],
    ["found an expired session", "session-expired", { item: { expiration_date: { N: "1" } } }, {}],
    ["found a session whose token has expired", "token-expired", { item: { token_expires_at: { N: "1" } } }, {}],
    ["found no session", "no-session", { item: { connection_id: {} } }, {}],
    ["found no table", "session-store-unavailable", { item: "fails" }, {}],
    ["found a connection that is gone", "connection-gone", { gateway: { status: 410 } }, {}],
    ["was not permitted", "forbidden", { gateway: { status: 403, body: { message: "no" } } }, {}],
    ["was throttled", "throttled", { gateway: { status: 429 } }, {}],
    ["met an error of the gateway's", "gateway-error", { gateway: { status: 500 } }, {}],
    ["met a gateway that is no gateway", "gateway-error", { gateway: { status: 502, body: "<html>" } }, {}],
    ["met no gateway", "network-error", { gateway: "unreachable" }, {}],
    ["was too large for the gateway", "payload-too-large", { gateway: { status: 413 } }, {}],
    ["is too large", "payload-too-large", {}, { body: secret.repeat(30_000) }],
    ["lacks an attribute", "missing-attribute: user", {}, { attributes: { user: undefined } }],
    [
      "has an unusable context",
      "unusable-attribute: context contains #",
      {},
      { attributes: { context: `${secret}#` } },
    ],
    [
      "has an unusable messageId",
      "unusable-attribute: messageId: not printable ASCII",
      {},
      { attributes: { messageId: `${secret}\n` } },
    ],
    [
      "has an unusable expiresAt",
      "unusable-attribute: expiresAt is no RFC 3339 date and time, such as 2026-11-25T12:00:00Z",
      {},
      { attributes: { expiresAt: secret } },
    ],
    ["has expired", "expired", {}, { attributes: { expiresAt: "2001-01-01T00:00:00Z" } }],
  ] as [string, string, Parameters<typeof withServices>[0], Parameters<typeof sqsRecord>[0]][]) {
    for (const [outcome, deadLetters] of [
      ["where dead letters are taken", {}],
      ["where dead letters are refused", refused],
    ] as const) {
      it(`have nothing of a message that ${name} ${outcome}`, async () => {
        const relay = withServices({ ...services, letters: deadLetters });
        const records = [1, 5].map((attempt) => secretRecord({ ...given, messageId: `m${attempt}`, attempt }));
        await relay.handle(sqsEvent(...records), { getRemainingTimeInMillis: () => 30_000 });
        const outcomes = relay.log.lines.filter(({ sqsMessageId, attempt }) => sqsMessageId === "m1" && attempt === 1);
        expect(outcomes[0]?.reason ?? outcomes[0]?.event).to.equal(reason);
        expect(relay.written()).to.contain("m5").and.not.to.contain(secret);
        // What is not to be read has been there to be read.
        if (reason !== "delivered")
          expect(
            relay
              .sent()
              .map(({ text }) => text)
              .join(),
          ).to.contain(secret);
      });
    }
  }

  it("have nothing of messages that were not reached", async () => {
    const relay = withServices({});
    await relay.handle(sqsEvent(secretRecord({ attempt: 5 })), { getRemainingTimeInMillis: () => 0 });
    expect(relay.written()).to.contain("not-reached").and.not.to.contain(secret);
  });

  for (const [name, visibility] of [
    ["changed for one of them", { body: { Successful: [], Failed: [{ Id: "0", Code: "No", Message: "no" }] } }],
    ["changed at all", { status: 403, body: { __type: "AccessDenied", message: "no" } }],
  ] as const) {
    it(`have nothing of messages whose visibility could not be ${name}`, async () => {
      const relay = withServices({ gateway: { status: 429 }, visibility });
      const records = [secretRecord({ messageId: "m1" }), secretRecord({ messageId: "m2" })];
      await relay.handle(sqsEvent(...records), { getRemainingTimeInMillis: () => 30_000 });
      expect(relay.written()).to.contain("visibility not changed").and.not.to.contain(secret);
    });
  }
});
