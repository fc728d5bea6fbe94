import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

const session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
};
const item = {
  caller_id: { S: "user#42" },
  context: { S: "chat#7" },
  connection_id: { S: "c1" },
  connected_at: { N: "1700000000500" },
  expiration_date: { N: "1700010800" },
};
const key = { callerId: "user#42", context: "chat#7" };
const Key = { caller_id: { S: "user#42" }, context: { S: "chat#7" } };
const keyFor = (i: number) => ({ caller_id: { S: `user#${i}` }, context: { S: "c#i" } });
const failedCondition = {
  status: 400,
  body: { __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", message: "no" },
};
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function storeWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const waits: number[] = [];
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const store = new DynamoDbSessionStore(client, { tableName: "t", connectionIndexName: "by-connection" }, (ms) => {
    waits.push(ms);
    return Promise.resolve();
  });
  return { store, waits, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => expect.fail("resolved"),
    (error: Error) => error.message,
  );
}

describe("DynamoDbSessionStore", () => {
  it("saves the five attributes, unless a newer connection has the session", async () => {
    const { store, sent } = storeWith(() => ({}));
    expect(await store.save(session)).to.deep.equal({ replaced: undefined });
    expect(sent()).to.deep.equal([
      [
        "PutItem",
        {
          TableName: "t",
          Item: item,
          ConditionExpression: "attribute_not_exists(connected_at) OR connected_at < :at OR connection_id = :id",
          ExpressionAttributeValues: { ":at": { N: "1700000000500" }, ":id": { S: "c1" } },
          ReturnValues: "ALL_OLD",
        },
      ],
    ]);
  });

  it("answers the session that the saved one replaces", async () => {
    const { store } = storeWith(() => ({
      body: { Attributes: { ...item, connection_id: { S: "c0" }, subprotocol: { S: "websocket-relay.v1" } } },
    }));
    const replaced = { ...session, connectionId: "c0", subprotocol: "websocket-relay.v1" };
    expect(await store.save(session)).to.deep.equal({ replaced });
  });

  it("keeps what the connection speaks, where that is given, and reads it again", async () => {
    const speaking = { ...session, subprotocol: "websocket-relay.v1" };
    const Item = { ...item, subprotocol: { S: "websocket-relay.v1" } };
    const { store, sent } = storeWith(({ target }) => (target === "GetItem" ? { body: { Item } } : {}));
    await store.save(speaking);
    expect(sent()[0]?.[1]).to.have.property("Item").that.deep.equals(Item);
    expect(await store.read(key)).to.deep.equal(speaking);
  });

  it("keeps when the token ends in an attribute of its own, and reads it again", async () => {
    const ending = { ...session, tokenExpiresAt: 1_700_000_600 };
    const endingItem = { ...item, token_expires_at: { N: "1700000600" } };
    const { store, sent } = storeWith(({ target }) =>
      target === "GetItem" ? { body: { Item: endingItem } } : { body: { Responses: { t: [endingItem] } } },
    );
    await store.save(ending);
    expect(sent()[0]?.[1]).to.have.property("Item").that.deep.equals(endingItem);
    expect(await store.read(key)).to.deep.equal(ending);
    expect([...(await store.readAll([key])).values()]).to.deep.equal([ending]);
  });

  it("is superseded where the condition fails", async () => {
    expect(await storeWith(() => failedCondition).store.save(session)).to.equal("superseded");
  });

  it("throws where saving, reading, deleting or finding fails", async () => {
    const { store } = storeWith(() => denied);
    for (const call of [
      store.save(session),
      store.read(key),
      store.readAll([key]),
      store.deleteIfConnection(key, "c1"),
      store.findByConnection("c1"),
    ]) {
      expect(await messageOf(call)).to.equal("denied");
    }
  });

  it("reads a session consistently", async () => {
    const { store, sent } = storeWith(() => ({ body: { Item: item } }));
    expect(await store.read(key)).to.deep.equal(session);
    expect(sent()).to.deep.equal([["GetItem", { TableName: "t", Key, ConsistentRead: true }]]);
  });

  it("reads no session where there is no row, or one that is not ours", async () => {
    expect(await storeWith(() => ({})).store.read(key)).to.equal(undefined);
    expect(await storeWith(() => ({ body: { Item: Key } })).store.read(key)).to.equal(undefined);
  });

  it("reads distinct keys in one consistent batch", async () => {
    const { store, sent } = storeWith(() => ({ body: { Responses: { t: [item] } } }));
    const other = { callerId: "user#43", context: "chat#7" };
    const found = await store.readAll([key, other, { ...key }]);
    expect([...found.entries()]).to.deep.equal([['["user#42","chat#7"]', session]]);
    const Keys = [Key, { ...Key, caller_id: { S: "user#43" } }];
    expect(sent()).to.deep.equal([["BatchGetItem", { RequestItems: { t: { Keys, ConsistentRead: true } } }]]);
  });

  it("reads more than 100 keys in several batches", async () => {
    const sizes: number[] = [];
    const { store } = storeWith(({ text }) => {
      const { Keys } = (JSON.parse(text) as { RequestItems: { t: { Keys: (typeof item)[] } } }).RequestItems.t;
      sizes.push(Keys.length);
      return { body: { Responses: { t: Keys.map((asked) => ({ ...item, ...asked })) } } };
    });
    const keys = Array.from({ length: 205 }, (_, i) => ({ callerId: `user#${i}`, context: "c#i" }));
    expect((await store.readAll(keys)).size).to.equal(205);
    expect(sizes).to.deep.equal([100, 100, 5]);
  });

  it("asks again for what the table left unprocessed, waiting longer each time", async () => {
    const { store, waits, sent } = storeWith((_, index) => ({
      body:
        index < 2
          ? { Responses: { t: [] }, UnprocessedKeys: { t: { Keys: [keyFor(1)], ConsistentRead: true } } }
          : { Responses: { t: [{ ...item, ...keyFor(1) }] }, UnprocessedKeys: {} },
    }));
    const keys = [1, 2].map((i) => ({ callerId: `user#${i}`, context: "c#i" }));
    expect((await store.readAll(keys)).size).to.equal(1);
    expect(waits).to.deep.equal([50, 100]);
    expect(sent()[1]).to.deep.equal([
      "BatchGetItem",
      { RequestItems: { t: { Keys: [keyFor(1)], ConsistentRead: true } } },
    ]);
  });

  it("throws where the table leaves keys unprocessed to the end", async () => {
    const { store, waits } = storeWith(() => ({ body: { UnprocessedKeys: { t: { Keys: [keyFor(1)] } } } }));
    expect(await messageOf(store.readAll([key]))).to.equal("the table did not return 1 sessions");
    expect(waits).to.deep.equal([50, 100, 200]);
  });

  for (const [name, response] of [
    ["deletes a session of that connection only", {}],
    ["is content where the session is another connection's", failedCondition],
  ] as const) {
    it(name, async () => {
      const { store, sent } = storeWith(() => response);
      await store.deleteIfConnection(key, "c1");
      expect(sent()).to.deep.equal([
        [
          "DeleteItem",
          {
            TableName: "t",
            Key,
            ConditionExpression: "connection_id = :id",
            ExpressionAttributeValues: { ":id": { S: "c1" } },
          },
        ],
      ]);
    });
  }

  it("finds a connection's sessions by the index, page by page", async () => {
    const { store, sent } = storeWith((_, index) => ({
      body: index === 0 ? { Items: [Key], LastEvaluatedKey: Key } : { Items: [keyFor(1)] },
    }));
    expect(await store.findByConnection("c1")).to.deep.equal([key, { callerId: "user#1", context: "c#i" }]);
    const query = {
      TableName: "t",
      IndexName: "by-connection",
      KeyConditionExpression: "connection_id = :id",
      ExpressionAttributeValues: { ":id": { S: "c1" } },
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: Key }],
    ]);
  });

  it("hands the signal that stops reading and deleting to the client", async () => {
    const signals: (boolean | undefined)[] = [];
    const { store } = storeWith(({ aborted }) => (signals.push(aborted), {}));
    await store.readAll([key], AbortSignal.abort());
    await store.read(key, AbortSignal.abort());
    await store.deleteIfConnection(key, "c1", AbortSignal.abort());
    expect(signals).to.deep.equal([true, true, true]);
  });
});
