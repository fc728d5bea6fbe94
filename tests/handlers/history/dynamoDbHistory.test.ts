import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbHistory, historyFromEnvironment } from "../../../handlers/history/dynamoDbHistory";
import { historyPartition, historyShard } from "../../../handlers/history/historyKey";
import { refusal } from "../../support/refusal";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";
import { entryOf, headOf, key, now } from "./entries";

const failedCondition = {
  status: 400,
  body: { __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", message: "no" },
};
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function historyWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const history = new DynamoDbHistory(client, { tableName: "h", retentionMs: 86_400_000, expiryIndexName: "expiry" });
  return { history, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

const session = { S: historyPartition(key) };
const itemOf = (entry: string) => ({ session, entry: { S: entry } });
const logItem = {
  ...itemOf("log#0000000000000003"),
  epoch: { S: "e1" },
  seq: { N: "3" },
  message_id: { S: "m3" },
  body: { S: "body of m3" },
  stored_at: { N: String(now) },
  caller_id: { S: "user#42" },
  context: { S: "chat#7" },
  expiry_shard: { S: historyShard(key) },
  due_at: { N: String(now + 86_400_000 + 120_000) },
};
const claimedUntil = { N: String((now + 2 * 86_400_000) / 1000) };

describe("DynamoDbHistory", () => {
  it("puts an entry where its number is free, with what the index and the sweeper need", async () => {
    const { history, sent } = historyWith(() => ({}));
    expect(await history.put(key, entryOf(3))).to.equal("stored");
    expect(sent()).to.deep.equal([
      ["PutItem", { TableName: "h", Item: logItem, ConditionExpression: "attribute_not_exists(entry)" }],
    ]);
  });

  it("puts a claim that the table may delete a day after it is void", async () => {
    const { history, sent } = historyWith(() => ({}));
    await history.claim(key, "order-7", { seq: 3, claimedAtMs: now }, now - 5);
    expect(sent()).to.deep.equal([
      [
        "PutItem",
        {
          TableName: "h",
          Item: {
            ...itemOf("id#order-7"),
            seq: { N: "3" },
            claimed_at: { N: String(now) },
            expiration_date: claimedUntil,
          },
          ConditionExpression: "attribute_not_exists(entry) OR claimed_at < :void",
          ExpressionAttributeValues: { ":void": { N: String(now - 5) } },
        },
      ],
    ]);
  });

  it("has a claim that was moved stay as long as a new one", async () => {
    const { history, sent } = historyWith(() => ({}));
    await history.moveClaim(key, "order-7", 3, { seq: 4, claimedAtMs: now });
    expect(sent()).to.deep.equal([
      [
        "UpdateItem",
        {
          TableName: "h",
          Key: itemOf("id#order-7"),
          UpdateExpression: "SET seq = :to, claimed_at = :at, expiration_date = :until",
          ConditionExpression: "seq = :from",
          ExpressionAttributeValues: {
            ":from": { N: "3" },
            ":to": { N: "4" },
            ":at": { N: String(now) },
            ":until": claimedUntil,
          },
        },
      ],
    ]);
  });

  it("reads the tail by one consistent query, without its body", async () => {
    const { history, sent } = historyWith(() => ({ body: { Items: [logItem] } }));
    expect(await history.readTail(key)).to.deep.equal(headOf(3));
    expect(sent()).to.deep.equal([
      [
        "Query",
        {
          TableName: "h",
          KeyConditionExpression: "#session = :session AND entry BETWEEN :first AND :last",
          ExpressionAttributeNames: { "#session": "session" },
          ExpressionAttributeValues: {
            ":session": session,
            ":first": { S: "log#0000000000000001" },
            ":last": { S: "log#9999999999999999" },
          },
          ConsistentRead: true,
          ScanIndexForward: false,
          Limit: 1,
          ProjectionExpression: "epoch, seq, message_id, stored_at, expires_at",
        },
      ],
    ]);
  });

  it("reads everything consistently but for the index", async () => {
    const { history, sent } = historyWith(() => ({}));
    await history.readTail(key);
    await history.readClaim(key, "m1");
    await history.readEntry(key, 1);
    await history.readAfter(key, 1, 10);
    await history.readOldest(key, 1);
    await history.readAcknowledged(key);
    expect(sent()).to.have.lengthOf(6);
    for (const [, input] of sent()) expect(input).to.include({ ConsistentRead: true });
  });

  it("asks the index page by page, and only as far as it is asked itself", async () => {
    const found = { seq: { N: "3" }, caller_id: { S: "user#42" }, context: { S: "chat#7" } };
    const { history, sent } = historyWith((_, index) => ({
      body: { Items: [found], ...(index === 0 && { LastEvaluatedKey: logItem }) },
    }));
    const pages = history.findDue("5", now);
    expect((await pages.next()).value).to.deep.equal([{ key, seq: 3 }]);
    expect(sent()).to.have.lengthOf(1);
    expect((await pages.next()).value).to.deep.equal([{ key, seq: 3 }]);
    expect((await pages.next()).done).to.equal(true);
    const query = {
      TableName: "h",
      IndexName: "expiry",
      KeyConditionExpression: "expiry_shard = :shard AND due_at <= :now",
      ExpressionAttributeValues: { ":shard": { S: "5" }, ":now": { N: String(now) } },
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: logItem }],
    ]);
  });

  for (const [dueAtMs, expression] of [
    [now, "REMOVE body, attributes SET due_at = :due"],
    [undefined, "REMOVE body, attributes, expiry_shard, due_at"],
  ] as const) {
    it(`strips an entry that is due ${dueAtMs === undefined ? "never" : "once more"}`, async () => {
      const { history, sent } = historyWith(() => failedCondition);
      await history.strip(key, 3, dueAtMs);
      expect(sent()[0]?.[1]).to.deep.include({
        UpdateExpression: expression,
        ConditionExpression: "attribute_exists(entry)",
      });
    });
  }

  it("says what a failed condition means, and throws what else fails", async () => {
    const calls = ({ history }: ReturnType<typeof historyWith>) => [
      () => history.put(key, entryOf(1)),
      () => history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0),
      () => history.moveClaim(key, "m1", 1, { seq: 2, claimedAtMs: now }),
      () => history.acknowledge(key, { epoch: "e1", seq: 1 }),
      () => history.postpone(key, 1, now),
    ];
    const answers = await Promise.all(calls(historyWith(() => failedCondition)).map((call) => call()));
    expect(answers).to.deep.equal(["taken", "taken", "lost", "stale", undefined]);
    const { history } = historyWith(() => denied);
    for (const call of [
      ...calls(historyWith(() => denied)),
      () => history.readTail(key),
      () => history.readClaim(key, "m1"),
      () => history.readEntry(key, 1),
      () => history.readAfter(key, 0, 1),
      () => history.readOldest(key, 0),
      () => history.readAcknowledged(key),
      () => history.findDue("0", now).next(),
      () => history.strip(key, 1, now),
      () => history.delete(key, 1),
    ]) {
      expect((await refusal(call())).message).to.equal("denied");
    }
  });

  it("hands the signal that stops it to the client", async () => {
    const { history, requests } = historyWith(() => ({}));
    const stopped = AbortSignal.abort();
    await history.readTail(key, stopped);
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0, stopped);
    await history.readClaim(key, "m1", stopped);
    await history.moveClaim(key, "m1", 1, { seq: 2, claimedAtMs: now }, stopped);
    await history.put(key, entryOf(1), stopped);
    await history.readEntry(key, 1, stopped);
    await history.readAfter(key, 0, 1, stopped);
    await history.readOldest(key, 0, stopped);
    await history.readAcknowledged(key, stopped);
    await history.acknowledge(key, { epoch: "e1", seq: 1 }, stopped);
    await history.findDue("0", now, stopped).next();
    await history.strip(key, 1, undefined, stopped);
    await history.postpone(key, 1, now, stopped);
    await history.delete(key, 1, stopped);
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal(requests.map(() => true));
    expect(requests).to.have.lengthOf(14);
  });

  for (const name of ["HISTORY_TABLE_NAME", "HISTORY_RETENTION_SECONDS"]) {
    it(`is not made without ${name}`, () => {
      const environment = { HISTORY_TABLE_NAME: "h", HISTORY_RETENTION_SECONDS: "300" };
      expect(() => historyFromEnvironment(environment)).to.not.throw();
      expect(() => historyFromEnvironment({ ...environment, [name]: undefined })).to.throw(`${name} is not set`);
    });
  }
});

describe("a session's partition of the history", () => {
  it("is short and the same for ever: a table outlives every release", () => {
    expect(historyPartition(key)).to.equal("2c0ce1d4cd6364a96e113616065dbc90e369a33cc05f961d35280ad67852146f");
    expect(historyShard(key)).to.equal(String(0x2c % 8));
  });
});
