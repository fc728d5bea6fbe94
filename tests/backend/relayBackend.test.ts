import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { RelayBackend, type RelayBackendOptions, RelayInputError } from "../../backend";
import type { Segment } from "../../handlers/history/history";
import { partitionKeyOf } from "../../handlers/history/historyKey";
import { itemOfSegment } from "../../handlers/history/segmentItems";
import { fakeCredentials, fakeRequestHandler, type FakeResponse } from "../support/boundaries";
import { refusal } from "../support/refusal";

const topicArn = "arn:aws:sns:eu-west-1:111122223333:relay-topic";
const publication = { user: "42", context: "chat", contextId: "7", message: "hello" };
const published = "<PublishResponse><PublishResult><MessageId>m1</MessageId></PublishResult></PublishResponse>";

function backendOf(options: Partial<RelayBackendOptions> = {}, sns: FakeResponse = { body: published }) {
  const topic = fakeRequestHandler(() => sns);
  const items: unknown[] = [];
  const table = fakeRequestHandler(({ target }) => ({ body: target === "Query" ? { Items: items } : {} }));
  const gateway = fakeRequestHandler(() => ({ status: 204 }));
  const clients = {
    sns: new SNSClient({ ...fakeCredentials, maxAttempts: 1, requestHandler: topic.requestHandler }),
    dynamodb: new DynamoDBClient({ ...fakeCredentials, requestHandler: table.requestHandler }),
    managementApi: new ApiGatewayManagementApiClient({
      ...fakeCredentials,
      endpoint: "https://api.test/live",
      requestHandler: gateway.requestHandler,
    }),
  };
  return { backend: new RelayBackend({ topicArn, clients, ...options }), topic, table, gateway, items };
}

describe("RelayBackend", () => {
  it("publishes to the relay's topic with attributes and group, and resolves to the message's ID", async () => {
    const { backend, topic } = backendOf();
    const { messageId } = await backend.publish(publication);
    expect(topic.requests).to.have.lengthOf(1);
    const form = new URLSearchParams(topic.requests[0]?.text);
    expect(form.get("Action")).to.equal("Publish");
    expect(form.get("TopicArn")).to.equal(topicArn);
    expect(form.get("Message")).to.equal("hello");
    expect(form.get("MessageGroupId")).to.match(/^[0-9a-f]{64}$/);
    const names = [1, 2, 3, 4].map((entry) => [
      form.get(`MessageAttributes.entry.${entry}.Name`),
      form.get(`MessageAttributes.entry.${entry}.Value.StringValue`),
    ]);
    expect(Object.fromEntries(names)).to.deep.equal({ user: "42", context: "chat", contextId: "7", messageId });
  });

  it("publishes to a FIFO topic with the same deduplication ID for each attempt of the SDK", async () => {
    const topic = fakeRequestHandler((_, index) => (index === 0 ? { status: 500, body: "" } : { body: published }));
    const sns = new SNSClient({ ...fakeCredentials, maxAttempts: 2, requestHandler: topic.requestHandler });
    await new RelayBackend({ topicArn: `${topicArn}.fifo`, clients: { sns } }).publish(publication);
    const ids = topic.requests.map(({ text }) => new URLSearchParams(text).get("MessageDeduplicationId"));
    expect(ids).to.have.lengthOf(2);
    expect(ids[0]).to.match(/^[0-9a-f]{64}$/);
    expect(ids[1]).to.equal(ids[0]);
  });

  const unusable: [what: string, options: unknown, says: RegExp][] = [
    ["no options", undefined, /^options is undefined; allowed: an object with topicArn/],
    ["a string for options", topicArn, /^options is "arn:.*"; allowed: an object/],
    ["a list for options", [topicArn], /^options is a list; allowed: an object/],
    [
      "a key in another letter case",
      { topicARN: topicArn },
      /^topicARN is not a key of options.*did you mean topicArn\?/,
    ],
    ["a list for the topic's ARN", { topicArn: [topicArn] }, /^topicArn is \["arn:/],
    ["a number for the region", { topicArn, region: 7 }, /^region is 7; allowed: a string.*as a string/],
    ["a client of another name", { topicArn, clients: { dynamoDb: {} } }, /did you mean dynamodb\?/],
  ];
  for (const [what, options, says] of unusable) {
    it(`refuses ${what}, with a fix`, () => {
      expect(() => new RelayBackend(options as RelayBackendOptions)).to.throw(RelayInputError, says);
    });
  }

  it("sends nothing if an input is refused", async () => {
    const { backend, topic } = backendOf();
    const error = await refusal(backend.publish({ ...publication, message: "x".repeat(131_073) }));
    expect(error).to.be.instanceOf(RelayInputError);
    expect(topic.requests).to.deep.equal([]);
  });

  it("throws the error of SNS unchanged: the message may have been published", async () => {
    const body = "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>";
    const { backend } = backendOf({}, { status: 403, body });
    const error = await refusal(backend.publish(publication));
    expect(error).not.to.be.instanceOf(RelayInputError);
    expect(error.name).to.match(/^AuthorizationError/);
  });

  for (const arn of ["", "relay-topic", "arn:aws:sqs:eu-west-1:111122223333:queue", undefined as unknown as string]) {
    it(`refuses ${JSON.stringify(arn)} as topicArn`, () => {
      expect(() => new RelayBackend({ topicArn: arn })).to.throw(
        RelayInputError,
        /topicArn.*allowed: the ARN of an SNS/,
      );
    });
  }

  it("blocks a user for an hour by default, and closes the user's connections", async () => {
    const { backend, table, gateway, items } = backendOf({
      tableName: "sessions",
      managementEndpoint: "https://api.test/live",
    });
    const session = { caller_id: { S: "user#42" }, context: { S: "chat#7" }, connection_id: { S: "c1=" } };
    items.push({ ...session, connected_at: { N: "1" }, expiration_date: { N: "9999999999" } });
    const before = Math.floor(Date.now() / 1000);
    const { blockedUntil, ...done } = await backend.disconnectUser("42");
    expect(done).to.deep.equal({ connectionsClosed: 1, sessionsCleared: 1 });
    expect(blockedUntil).to.be.within(before + 3_600, Math.ceil(Date.now() / 1000) + 3_600);
    expect(table.requests.map(({ target }) => target)).to.deep.equal(["PutItem", "Query", "DeleteItem", "DeleteItem"]);
    expect(gateway.requests.map(({ method, path }) => `${method} ${path}`)).to.deep.equal([
      "DELETE /live/@connections/c1%3D",
    ]);
  });

  for (const missing of ["tableName", "managementEndpoint"] as const) {
    it(`refuses to disconnect a user without ${missing}`, async () => {
      const given = { tableName: "sessions", managementEndpoint: "https://api.test/live", [missing]: undefined };
      const { backend, table } = backendOf(given);
      const error = await refusal(backend.disconnectUser("42"));
      expect(error).to.be.instanceOf(RelayInputError);
      expect(error.message).to.match(
        new RegExp(`^${missing} is missing; allowed: a string; disconnectUser needs it.*pass the relay's ${missing}`),
      );
      expect(table.requests).to.deep.equal([]);
    });
  }

  describe("position", () => {
    const session = { user: "42", context: "chat", contextId: "7" };
    const key = { callerId: "user#42", context: "chat#7" };
    const segment: Segment = {
      ...{ first: 41, count: 2, epoch: "e1", generation: 0, storedAtMs: 1, untilMs: 2, ttlMs: 3, dueAtMs: undefined },
      ...{ isMarked: false, reported: [], recent: { coveredFromMs: 0, groups: [] } },
      messages: [
        { id: "a", body: "forty-one" },
        { id: "b", body: "forty-two" },
      ],
    };
    const withHistory = (options: Partial<RelayBackendOptions> = {}) =>
      backendOf({ historyTableName: "history", ...options });

    it("answers epoch and number of the session's newest message, by one consistent query", async () => {
      const { backend, table, items } = withHistory();
      items.push(itemOfSegment(key, segment));
      expect(await backend.position(session)).to.deep.equal({ epoch: "e1", seq: 42 });
      expect(table.requests.map(({ target }) => target)).to.deep.equal(["Query"]);
      expect(JSON.parse(table.requests[0]?.text ?? "")).to.deep.include({
        TableName: "history",
        ConsistentRead: true,
        Limit: 1,
        ScanIndexForward: false,
        ExpressionAttributeValues: {
          ":session": { S: partitionKeyOf(key) },
          ":first": { S: "log#0000000000000000" },
          ":last": { S: "log#9007199254740991" },
        },
      });
    });

    it("answers the last number that was used where all messages have expired", async () => {
      const { backend, items } = withHistory();
      items.push(itemOfSegment(key, { ...segment, messages: [], ttlMs: undefined }));
      expect(await backend.position(session)).to.deep.equal({ epoch: "e1", seq: 42 });
    });

    it("answers undefined for a session that never had a message", async () => {
      expect(await withHistory().backend.position(session)).to.equal(undefined);
    });

    for (const [what, given, options, input, says] of [
      [
        "without historyTableName",
        session,
        { historyTableName: undefined },
        "historyTableName",
        /missing.*position needs it/,
      ],
      [
        "without a contextId",
        { ...session, contextId: undefined },
        {},
        "contextId",
        /missing.*the client's URL as a string\.$/,
      ],
      ["of a context with #", { ...session, context: "a#b" }, {}, "context", /contains #/],
      ["of all sessions of a user", { user: "42", scope: "user" }, {}, "scope", /scope is not a key of session/],
      ["of no session", undefined, {}, "session", /session is undefined/],
    ] as const) {
      it(`refuses a position ${what}, and reads nothing`, async () => {
        const { backend, table } = withHistory(options);
        const error = await refusal(backend.position(given as typeof session));
        expect(error).to.be.instanceOf(RelayInputError).and.include({ input });
        expect(error.message).to.match(says);
        expect(table.requests).to.deep.equal([]);
      });
    }
  });

  it("does not load Pulumi", () => {
    const program = `require("./backend"); console.log(Object.keys(require.cache).filter((path) => path.includes("@pulumi")).length)`;
    const output = execFileSync(process.execPath, ["-r", "./transpile", "-e", program], {
      cwd: resolve(__dirname, "../.."),
      encoding: "utf8",
    });
    expect(output.trim()).to.equal("0");
  });

  it("refuses an unknown key, which would silently keep the default", async () => {
    const { backend, topic, table } = backendOf({ tableName: "t", managementEndpoint: "https://api.test/live" });
    const refused = async (promise: Promise<unknown>) => (await refusal(promise)) as RelayInputError;
    const misspelled = { ...publication, expiresAT: new Date() } as typeof publication;
    expect(await refused(backend.publish(misspelled))).to.include({ input: "expiresAT" });
    const { input, message } = await refused(backend.disconnectUser("42", { blockSecs: 1 } as object));
    expect(input).to.equal("blockSecs");
    expect(message).to.include("allowed: blockSeconds, signal. Fix: check the spelling");
    expect(() => backendOf({ tablename: "t" } as object)).to.throw(
      RelayInputError,
      "tablename is not a key of options",
    );
    expect(() => new RelayBackend(undefined as never)).to.throw(RelayInputError, "options is undefined");
    expect([...topic.requests, ...table.requests]).to.deep.equal([]);
  });
});
