import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { EXPIRY_SHARDS, expiryShardOf } from "../../../handlers/connections/connectionItems";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { refusal } from "../../support/refusal";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

const connection = {
  callerId: "user#42",
  connectionId: "c1=",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
  sessionContext: "chat#7",
};
const Key = { caller_id: { S: "user#42" }, context: { S: "#connection#c1=" } };
const item = {
  ...Key,
  connection_id: { S: "c1=" },
  connected_at: { N: "1700000000500" },
  expiration_date: { N: "1700010800" },
  session_context: { S: "chat#7" },
};
const ending = { ...connection, tokenExpiresAt: 1_700_000_600 };
const shard = expiryShardOf("c1=");
const endingItem = { ...item, token_expires_at: { N: "1700000600" }, expiry_shard: { S: shard } };
const sessionItem = { ...item, context: { S: "chat#7" }, session_context: undefined };
const session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1=",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
};
const blockKey = { caller_id: { S: "user#42" }, context: { S: "#block" } };
const blockItem = { ...blockKey, blocked_until: { N: "1700003600" }, expiration_date: { N: "1700003600" } };
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function storeWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const store = new DynamoDbUserConnections(client, { tableName: "t", tokenExpiryIndexName: "by-expiry" });
  return { store, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const page of pages) read.push(page);
  return read;
}

describe("DynamoDbUserConnections", () => {
  it("adds a connection's item, without what only the end of a token needs", async () => {
    const { store, sent } = storeWith(() => ({}));
    await store.add(connection);
    expect(sent()).to.deep.equal([["PutItem", { TableName: "t", Item: item }]]);
  });

  it("adds when the token ends, and the shard by which the index finds that", async () => {
    const { store, sent } = storeWith(() => ({}));
    await store.add(ending);
    expect(sent()).to.deep.equal([["PutItem", { TableName: "t", Item: endingItem }]]);
  });

  it("reads a connection consistently", async () => {
    const { store, sent } = storeWith(() => ({ body: { Item: endingItem } }));
    expect(await store.readConnection(connection)).to.deep.equal(ending);
    expect(sent()).to.deep.equal([["GetItem", { TableName: "t", Key, ConsistentRead: true }]]);
  });

  it("reads no connection where there is none", async () => {
    expect(await storeWith(() => ({})).store.readConnection(connection)).to.equal(undefined);
  });

  it("reads a block consistently", async () => {
    const { store, sent } = storeWith(() => ({ body: { Item: blockItem } }));
    expect(await store.blockedUntil("user#42")).to.equal(1_700_003_600);
    expect(sent()).to.deep.equal([["GetItem", { TableName: "t", Key: blockKey, ConsistentRead: true }]]);
  });

  it("reads no block where there is none", async () => {
    expect(await storeWith(() => ({})).store.blockedUntil("user#42")).to.equal(undefined);
  });

  it("blocks by an item that goes when the block does", async () => {
    const { store, sent } = storeWith(() => ({}));
    await store.block("user#42", 1_700_003_600);
    expect(sent()).to.deep.equal([["PutItem", { TableName: "t", Item: blockItem }]]);
  });

  it("lists a user's items consistently, page by page, each as what it is", async () => {
    const pages = [
      { Items: [blockItem, endingItem], LastEvaluatedKey: Key },
      { Items: [sessionItem, { ...Key, context: { S: "not one of ours" } }] },
    ];
    const { store, sent } = storeWith((_, index) => ({ body: pages[index] }));
    expect(await store.listByUser("user#42")).to.deep.equal({
      sessions: [session],
      connections: [ending],
      blockedUntil: 1_700_003_600,
    });
    const query = {
      TableName: "t",
      KeyConditionExpression: "caller_id = :user",
      ExpressionAttributeValues: { ":user": { S: "user#42" } },
      ConsistentRead: true,
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: Key }],
    ]);
  });

  it("lists nothing of a user who has nothing", async () => {
    const { store } = storeWith(() => ({ body: { Items: [] } }));
    expect(await store.listByUser("user#42")).to.deep.equal({ sessions: [], connections: [] });
  });

  it("finds the connections of a shard whose token has ended by the index, page by page", async () => {
    const other = { ...Key, context: { S: "#connection#c2=" } };
    const { store, sent } = storeWith((_, index) => ({
      body: index === 0 ? { Items: [Key], LastEvaluatedKey: Key } : { Items: [other] },
    }));
    expect(await all(store.findExpired("3", 1_700_000_600))).to.deep.equal([
      [{ callerId: "user#42", connectionId: "c1=" }],
      [{ callerId: "user#42", connectionId: "c2=" }],
    ]);
    const query = {
      TableName: "t",
      IndexName: "by-expiry",
      KeyConditionExpression: "expiry_shard = :shard AND token_expires_at <= :now",
      ExpressionAttributeValues: { ":shard": { S: "3" }, ":now": { N: "1700000600" } },
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: Key }],
    ]);
  });

  it("throws where the table fails", async () => {
    const { store } = storeWith(() => denied);
    for (const call of [
      store.add(connection),
      store.readConnection(connection),
      store.blockedUntil("user#42"),
      store.block("user#42", 1),
      store.listByUser("user#42"),
      all(store.findExpired("0", 1)),
    ]) {
      expect((await refusal(call)).message).to.equal("denied");
    }
  });

  it("hands the signal that stops it to the client", async () => {
    const { store, requests } = storeWith(() => ({ body: { Items: [] } }));
    const signal = AbortSignal.abort();
    await store.readConnection(connection, signal);
    await store.block("user#42", 1, signal);
    await store.listByUser("user#42", signal);
    await all(store.findExpired("0", 1, signal));
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true, true, true, true]);
  });

  it("spreads connections over all the shards", () => {
    const shards = new Set(Array.from({ length: 200 }, (_, i) => expiryShardOf(`connection${i}=`)));
    expect([...shards].sort()).to.deep.equal([...EXPIRY_SHARDS]);
  });
});
