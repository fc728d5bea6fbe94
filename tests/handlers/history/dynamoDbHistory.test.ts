import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import {
  DynamoDbHistory,
  historyFromEnvironment,
  historyGenerationFromEnvironment,
  waitingAfterMsFromEnvironment,
} from "../../../handlers/history/dynamoDbHistory";
import { messageGroupIdOf, historyShard, partitionKeyOf } from "../../../handlers/history/historyKey";
import { itemOfSegment } from "../../../handlers/history/segmentItems";
import { refusal } from "../../support/refusal";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";
import { dynamoDbHistory } from "../../support/realTables";
import { key, now, segmentOf } from "./segments";

const failedCondition = {
  status: 400,
  body: { __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", message: "no" },
};
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function historyWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const history = new DynamoDbHistory(client, { tableName: "h", retentionMs: 86_400_000, dueIndexName: "due" });
  return { history, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

const session = { S: partitionKeyOf(key) };
const itemOf = (entry: string) => ({ session, entry: { S: entry } });
const marked = { due_shard: { S: historyShard(key) }, caller_id: { S: "user#42" }, context: { S: "chat#7" } };
const exists = { TableName: "h", ConditionExpression: "attribute_exists(entry)" };

const seen = segmentOf(3, { ttlMs: now + 1_000, isMarked: true, dueAtMs: now - 1 });
const asMarked = "attribute_exists(due_shard) AND due_at = :seenDue";

/** Each call of the port, by its name. */
const calls: Record<string, (history: DynamoDbHistory, signal?: AbortSignal) => Promise<unknown>> = {
  readBack: (history, signal) => history.readBack(key, 5, 2, signal),
  readOn: (history, signal) => history.readOn(key, 5, 2, signal),
  readCursor: (history, signal) => history.readCursor(key, signal),
  readKeyClaim: (history, signal) => history.readKeyClaim(key, "order-7", signal),
  findDue: (history, signal) => history.findDue("5", now, signal).next(),
  put: (history, signal) => history.put(key, segmentOf(3), signal),
  renew: (history, signal) => history.renew(key, segmentOf(3), { ttlMs: now }, signal),
  acknowledge: (history, signal) => history.acknowledge(key, { epoch: "e1", seq: 3 }, signal),
  claimKey: (history, signal) => history.claimKey(key, "order-7", { owner: "q1", claimedAtMs: now }, now - 5, signal),
  seal: (history, signal) => history.seal(key, seen, signal),
  addReported: (history, signal) => history.addReported(key, 3, [0], signal),
  mark: (history, signal) => history.mark(key, seen, now, signal),
  unmark: (history, signal) => history.unmark(key, seen, signal),
  delete: (history, signal) => history.delete(key, 3, signal),
  settle: (history, signal) => history.settle(key, { settled: { epoch: "e1", seq: 3 }, oldestSeq: 2 }, signal),
  "settle the oldest": (history, signal) => history.settle(key, { oldestSeq: 2 }, signal),
};

describe("DynamoDbHistory", () => {
  const request = async (name: string) => {
    const { history, sent } = historyWith(() => ({}));
    await calls[name]?.(history);
    expect(sent()).to.have.lengthOf(1);
    return sent()[0] as [string, Record<string, unknown>];
  };

  it("puts a segment where its first number is free", async () => {
    const Item = JSON.parse(JSON.stringify(itemOfSegment(key, segmentOf(3)))) as Record<string, unknown>;
    expect(await request("put")).to.deep.equal([
      "PutItem",
      {
        TableName: "h",
        Item: { ...Item, recent: { B: Buffer.alloc(6).toString("base64") } },
        ConditionExpression: "attribute_not_exists(entry)",
      },
    ]);
  });

  it("reads segments by one consistent query, forwards or backwards", async () => {
    const query = (from: string, through: string, ScanIndexForward: boolean) => ({
      TableName: "h",
      KeyConditionExpression: "#session = :session AND entry BETWEEN :first AND :last",
      ExpressionAttributeNames: { "#session": "session" },
      ExpressionAttributeValues: { ":session": session, ":first": { S: from }, ":last": { S: through } },
      ConsistentRead: true,
      ScanIndexForward,
      Limit: 2,
    });
    expect(await request("readBack")).to.deep.equal([
      "Query",
      query("log#0000000000000000", "log#0000000000000005", false),
    ]);
    expect(await request("readOn")).to.deep.equal([
      "Query",
      query("log#0000000000000005", "log#9999999999999999", true),
    ]);
  });

  it("reads the cursor and claims consistently", async () => {
    expect(await request("readCursor")).to.deep.equal([
      "GetItem",
      { TableName: "h", Key: itemOf("cursor"), ConsistentRead: true },
    ]);
    expect(await request("readKeyClaim")).to.deep.equal([
      "GetItem",
      { TableName: "h", Key: itemOf("key#order-7"), ConsistentRead: true },
    ]);
  });

  it("asks the index page by page, and only as far as it is asked itself", async () => {
    const found = { ...itemOf("log#0000000000000003"), ...marked, due_at: { N: String(now) } };
    const { history, sent } = historyWith((_, index) => ({
      body: { Items: [found], ...(index === 0 && { LastEvaluatedKey: found }) },
    }));
    const pages = history.findDue("5", now);
    expect((await pages.next()).value).to.deep.equal([{ key, first: 3, dueAtMs: now }]);
    expect(sent()).to.have.lengthOf(1);
    expect((await pages.next()).value).to.deep.equal([{ key, first: 3, dueAtMs: now }]);
    expect((await pages.next()).done).to.equal(true);
    const query = {
      TableName: "h",
      IndexName: "due",
      KeyConditionExpression: "due_shard = :shard AND due_at <= :now",
      ExpressionAttributeValues: { ":shard": { S: "5" }, ":now": { N: String(now) } },
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: found }],
    ]);
  });

  it("finds what is due besides items of the index that are not the relay's", async () => {
    const due = { ...marked, due_at: { N: String(now) } };
    const { caller_id, ...nameless } = { ...itemOf("log#0000000000000003"), ...due };
    const Items = [{ ...itemOf("note"), ...due }, nameless, { ...nameless, caller_id }];
    const { history } = historyWith(() => ({ body: { Items } }));
    expect((await history.findDue("5", now).next()).value).to.deep.equal([{ key, first: 3, dueAtMs: now }]);
  });

  for (const [name, expression, values, condition] of [
    [
      "seal",
      "REMOVE messages, reported, recent, expiration_date",
      { ":seen": { N: "1700000001" }, ":seenDue": { N: String(now - 1) } },
      ` AND expiration_date = :seen AND ${asMarked}`,
    ],
    ["addReported", "ADD reported :positions", { ":positions": { NS: ["0"] } }, ""],
    [
      "mark",
      "SET due_at = :due_at, due_shard = :due_shard, caller_id = :caller_id, context = :context",
      {
        ":due_at": { N: String(now) },
        ":due_shard": marked.due_shard,
        ":caller_id": marked.caller_id,
        ":context": marked.context,
        ":seenDue": { N: String(now - 1) },
      },
      ` AND ${asMarked}`,
    ],
    [
      "unmark",
      "REMOVE due_shard, caller_id, context",
      { ":seen": { N: "1700000001" }, ":seenDue": { N: String(now - 1) } },
      ` AND expiration_date = :seen AND ${asMarked}`,
    ],
  ] as const) {
    it(`changes a segment by one update, if it exists and is as it was read: ${name}`, async () => {
      expect(await request(name)).to.deep.equal([
        "UpdateItem",
        {
          ...exists,
          ConditionExpression: `attribute_exists(entry)${condition}`,
          Key: itemOf("log#0000000000000003"),
          UpdateExpression: expression,
          ExpressionAttributeValues: values,
        },
      ]);
    });
  }

  for (const [seenMs, condition, seen] of [
    [now + 1, "expiration_date = :seen", { ":seen": { N: "1700000001" } }],
    [undefined, "attribute_not_exists(expiration_date)", {}],
  ] as const) {
    it(`renews a segment ${seenMs === undefined ? "that is sealed" : "with the TTL that was read"}`, async () => {
      const { history, sent } = historyWith(() => ({}));
      await history.renew(key, segmentOf(3, { ttlMs: seenMs }), { ttlMs: now + 5_000, nextEpoch: "e2" });
      expect(sent()).to.deep.equal([
        [
          "UpdateItem",
          {
            TableName: "h",
            Key: itemOf("log#0000000000000003"),
            UpdateExpression: "SET expiration_date = :expiration_date, next_epoch = :next_epoch",
            ConditionExpression: `attribute_exists(entry) AND ${condition}`,
            ExpressionAttributeValues: { ":expiration_date": { N: "1700000005" }, ":next_epoch": { S: "e2" }, ...seen },
          },
        ],
      ]);
    });
  }

  it("moves cursors by one update of their item", async () => {
    const cursor = { M: { epoch: { S: "e1" }, seq: { N: "3" } } };
    const values = { ":cursor": cursor, ":epoch": { S: "e1" }, ":seq": { N: "3" } };
    const update = { TableName: "h", Key: itemOf("cursor") };
    const isAhead = (name: string) => `attribute_not_exists(${name}) OR ${name}.epoch <> :epoch OR ${name}.seq < :seq`;
    expect(await request("acknowledge")).to.deep.equal([
      "UpdateItem",
      {
        ...update,
        UpdateExpression: "SET acknowledged = :cursor",
        ConditionExpression: isAhead("acknowledged"),
        ExpressionAttributeValues: values,
      },
    ]);
    expect(await request("settle")).to.deep.equal([
      "UpdateItem",
      {
        ...update,
        UpdateExpression: "SET settled = :cursor, oldest_seq = :oldest_seq",
        ConditionExpression: isAhead("settled"),
        ExpressionAttributeValues: { ...values, ":oldest_seq": { N: "2" } },
      },
    ]);
    expect(await request("settle the oldest")).to.deep.equal([
      "UpdateItem",
      {
        ...update,
        UpdateExpression: "SET oldest_seq = :oldest",
        ConditionExpression: "attribute_not_exists(oldest_seq) OR oldest_seq < :oldest",
        ExpressionAttributeValues: { ":oldest": { N: "2" } },
      },
    ]);
  });

  it("puts a claim that the table deletes a day after it is void", async () => {
    expect(await request("claimKey")).to.deep.equal([
      "PutItem",
      {
        TableName: "h",
        Item: {
          ...itemOf("key#order-7"),
          owner: { S: "q1" },
          claimed_at: { N: String(now) },
          expiration_date: { N: String((now + 2 * 86_400_000) / 1000) },
        },
        ConditionExpression: "attribute_not_exists(entry) OR claimed_at < :void",
        ExpressionAttributeValues: { ":void": { N: String(now - 5) } },
      },
    ]);
  });

  it("deletes a segment whether or not it exists", async () => {
    expect(await request("delete")).to.deep.equal([
      "DeleteItem",
      { TableName: "h", Key: itemOf("log#0000000000000003") },
    ]);
  });

  it("makes no call where there is nothing to change", async () => {
    const { history, sent } = historyWith(() => ({}));
    await history.addReported(key, 3, []);
    await history.settle(key, {});
    expect(sent()).to.deep.equal([]);
  });

  const answers: Record<string, string | undefined> = {
    put: "taken",
    renew: "changed",
    seal: "changed",
    acknowledge: "stale",
    claimKey: "taken",
  };
  for (const [name, call] of Object.entries(calls)) {
    const isConditional = !/^(read|find|delete)/.test(name);
    if (isConditional) {
      it(`answers a failed condition: ${name}`, async () => {
        expect(await call(historyWith(() => failedCondition).history)).to.equal(answers[name]);
      });
    }

    it(`throws what else the service answers, and hands it the signal: ${name}`, async () => {
      expect((await refusal(call(historyWith(() => denied).history))).message).to.equal("denied");
      const { history, requests } = historyWith(() => ({}));
      await call(history, AbortSignal.abort());
      expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true]);
    });
  }

  for (const name of ["HISTORY_TABLE_NAME", "HISTORY_RETENTION_SECONDS"]) {
    it(`is not made without ${name}`, () => {
      const environment = { HISTORY_TABLE_NAME: "h", HISTORY_RETENTION_SECONDS: "300" };
      expect(() => historyFromEnvironment(environment)).to.not.throw();
      expect(() => historyFromEnvironment({ ...environment, [name]: undefined })).to.throw(`${name} is not set`);
    });
  }

  it("has the generation of new segments from HISTORY_GENERATION, a whole number", () => {
    const generation = (HISTORY_GENERATION?: string) => historyGenerationFromEnvironment({ HISTORY_GENERATION });
    expect(["0", "7", "1000000"].map(generation)).to.deep.equal([0, 7, 1_000_000]);
    expect(() => generation()).to.throw("HISTORY_GENERATION is not set");
    for (const value of ["-1", "1.5", "one", "01", "1e3", "9007199254740992"]) {
      const message = `HISTORY_GENERATION: got "${value}"; allowed: a whole number from zero`;
      expect(() => generation(value)).to.throw(message);
    }
  });
});

describe("the time after which messages get the receipt waiting", () => {
  it("is WAITING_AFTER_SECONDS, a whole number; without it none gets one", () => {
    const waiting = (WAITING_AFTER_SECONDS?: string) => waitingAfterMsFromEnvironment({ WAITING_AFTER_SECONDS });
    expect(["30", "86400", undefined].map(waiting)).to.deep.equal([30_000, 86_400_000, undefined]);
    for (const value of ["", "0", "1.5", "soon"]) expect(() => waiting(value)).to.throw("WAITING_AFTER_SECONDS");
  });
});

describe("a segment in DynamoDB that was in the index", () => {
  it("is as one that never was", async () => {
    const { history, rawItem, close } = await dynamoDbHistory(86_400_000);
    try {
      await history.put(key, segmentOf(1, { isMarked: true }));
      await history.unmark(key, segmentOf(1, { isMarked: true }));
      expect(await rawItem(key, "log#0000000000000001")).to.deep.equal(itemOfSegment(key, segmentOf(1)));
    } finally {
      await close();
    }
  });
});

describe("a session's partition of the history", () => {
  it("is short and the same for ever: a table outlives every release", () => {
    expect(partitionKeyOf(key)).to.equal("LAzh1M1jZKluETYWBl28kONpozzAX5YdNSgK1nhSFG8");
    expect(messageGroupIdOf(key)).to.equal("2c0ce1d4cd6364a96e113616065dbc90e369a33cc05f961d35280ad67852146f");
    expect(historyShard(key)).to.equal(String(0x2c % 8));
  });
});
