import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { refusal } from "../../support/refusal";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

const Key = { caller_id: { S: "user#42" }, context: { S: "chat#7" } };
const item = {
  ...Key,
  connection_id: { S: "c1=" },
  connected_at: { N: "1700000000500" },
  expiration_date: { N: "1700010800" },
  token_expires_at: { N: "1700000600" },
  connections: {
    M: {
      "c1=": { M: { connected_at: { N: "1700000000500" }, token_expires_at: { N: "1700000600" } } },
      "c0=": { M: { connected_at: { N: "1700000000400" } } },
    },
  },
  revision: { S: "r1" },
};
const session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1=",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
  tokenExpiresAt: 1_700_000_600,
};
const { context: sessionContext, ...own } = session;
const connection = { ...own, sessionContext };
const { tokenExpiresAt: _, ...unending } = connection;
const superseded = { ...unending, connectionId: "c0=", connectedAt: 1_700_000_000_400 };
const itemOf010 = {
  ...Key,
  context: { S: "chat#8" },
  connection_id: { S: "c8=" },
  connected_at: item.connected_at,
  expiration_date: item.expiration_date,
};
const { tokenExpiresAt: __, ...sessionOf010 } = { ...session, context: "chat#8", connectionId: "c8=" };
const { connection_id, connected_at, token_expires_at, ...leftItem } = { ...item, context: { S: "chat#9" } };
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
      sessions: [session, sessionOf010],
      connections: [
        connection,
        superseded,
        { ...unending, sessionContext: "chat#8", connectionId: "c8=" },
        { ...connection, sessionContext: "chat#9" },
        { ...superseded, sessionContext: "chat#9" },
      ],
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
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true, true]);
  });
});
