import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { refusal } from "../../support/refusal";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

const Key = { caller_id: { S: "user#42" }, context: { S: "chat#7" } };
const connected_at = { N: "1700000000500" };
const token_expires_at = { N: "1700000600" };
const expiration_date = { N: "1700010800" };
const rest = {
  expiration_date,
  connections: {
    M: {
      "c1=": { M: { connected_at, token_expires_at, expiration_date } },
      "c0=": {
        M: { connected_at: { N: "1700000000400" }, expiration_date: { N: "1700010799" }, superseded_by: { S: "c1" } },
      },
    },
  },
  revision: { S: "r1" },
};
const item = { ...Key, connection_id: { S: "c1=" }, connected_at, token_expires_at, ...rest };
const itemOf010 = { ...Key, context: { S: "chat#8" }, connection_id: { S: "c8=" }, connected_at, expiration_date };
/** Its newest connection has left. */
const leftItem = {
  ...Key,
  context: { S: "chat#9" },
  ...rest,
  connections: { M: { "c0=": rest.connections.M["c0="] } },
};

const times = { connectedAt: 1_700_000_000_500, expirationDate: 1_700_010_800 };
const newest = { callerId: "user#42", connectionId: "c1=", ...times, tokenExpiresAt: 1_700_000_600 };
const ofRow010 = { callerId: "user#42", connectionId: "c8=", ...times };
const session = { ...newest, context: "chat#7" };
const connection = { ...newest, context: "chat#7" };
const superseded = {
  callerId: "user#42",
  connectionId: "c0=",
  connectedAt: 1_700_000_000_400,
  expirationDate: 1_700_010_799,
  context: "chat#7",
  superseded: true,
};
const blockKey = { caller_id: { S: "user#42" }, context: { S: "#block" } };
const blockItem = { ...blockKey, blocked_until: { N: "1700003600" }, expiration_date: { N: "1700003600" } };
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function storeWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const store = new DynamoDbUserConnections(client, { tableName: "t" });
  return { store, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

describe("DynamoDbUserConnections", () => {
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

  it("lists the user's sessions, all connections and the block consistently, page by page", async () => {
    const pages = [
      { Items: [blockItem, item], LastEvaluatedKey: Key },
      { Items: [itemOf010, leftItem, { ...Key, context: { S: "not one of ours" } }] },
    ];
    const { store, sent } = storeWith((_, index) => ({ body: pages[index] }));
    expect(await store.listByUser("user#42")).to.deep.equal({
      sessions: [session, { ...ofRow010, context: "chat#8" }],
      connections: [connection, superseded, { ...ofRow010, context: "chat#8" }, { ...superseded, context: "chat#9" }],
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

  it("throws where the table fails", async () => {
    const { store } = storeWith(() => denied);
    for (const call of [store.blockedUntil("user#42"), store.block("user#42", 1), store.listByUser("user#42")]) {
      expect((await refusal(call)).message).to.equal("denied");
    }
  });

  it("hands the signal that stops it to the client", async () => {
    const { store, requests } = storeWith(() => ({ body: { Items: [] } }));
    const signal = AbortSignal.abort();
    await store.block("user#42", 1, signal);
    await store.listByUser("user#42", signal);
    await store.blockedUntil("user#42", signal);
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true, true, true]);
  });
});
