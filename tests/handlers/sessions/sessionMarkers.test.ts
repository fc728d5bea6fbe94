import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { DynamoDbSessionMarkers } from "../../../handlers/sessions/sessionMarkers";
import { sessionKey, type SessionKey } from "../../../handlers/sessions/sessionKey";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";
import { MemoryTable } from "../../support/memoryTable";
import { refusal } from "../../support/refusal";

const key = { callerId: "user#42", context: "chat#7" };
const Key = { caller_id: { S: "seen#42" }, context: { S: "chat#7" } };
const until = 1_700_000_600;
const Item = { ...Key, expiration_date: { N: String(until) } };
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function markersWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const markers = new DynamoDbSessionMarkers(client, { tableName: "t" });
  return { markers, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

const ofUser = (callerId: string, context: string, expires: number) => ({
  caller_id: { S: callerId },
  context: { S: context },
  expiration_date: { N: String(expires) },
});

describe("DynamoDbSessionMarkers", () => {
  it("marks a session by an item that the table's TTL deletes", async () => {
    const { markers, sent } = markersWith(() => ({}));
    await markers.mark(key, until);
    expect(sent()).to.deep.equal([["PutItem", { TableName: "t", Item }]]);
  });

  it("has keys within DynamoDB's limits wherever the session has", async () => {
    const longest = sessionKey("u".repeat(2_043), "c", "i".repeat(1_022)).value as SessionKey;
    const { markers, requests } = markersWith(() => ({}));
    await markers.mark(longest, until);
    const { Item: put } = JSON.parse(requests[0]?.text ?? "") as { Item: Record<string, { S: string }> };
    expect([put.caller_id?.S.length, put.context?.S.length]).to.deep.equal([2_048, 1_024]);
  });

  it("lists the sessions of a user consistently, page by page, without those whose marker has ended", async () => {
    const pages = [
      { Items: [Item, ofUser("seen#42", "chat#8", 100)], LastEvaluatedKey: Key },
      { Items: [ofUser("seen#42", "report#1#2", 101)] },
    ];
    const { markers, sent } = markersWith((_, index) => ({ body: pages[index] }));
    expect(await markers.list({ callerId: "user#42" }, 100, 50)).to.deep.equal([
      key,
      { callerId: "user#42", context: "report#1#2" },
    ]);
    const query = {
      TableName: "t",
      KeyConditionExpression: "caller_id = :user",
      ExpressionAttributeValues: { ":user": { S: "seen#42" } },
      ConsistentRead: true,
      Limit: 50,
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: Key }],
    ]);
  });

  it("lists the sessions of one context", async () => {
    const { markers, sent } = markersWith(() => ({ body: { Items: [Item] } }));
    expect(await markers.list({ callerId: "user#42", context: "chat" }, 100, 50)).to.deep.equal([key]);
    expect(sent()[0]?.[1]).to.deep.include({
      KeyConditionExpression: "caller_id = :user AND begins_with(context, :context)",
      ExpressionAttributeValues: { ":user": { S: "seen#42" }, ":context": { S: "chat#" } },
    });
  });

  it("reads no further page once it has as many as it may list", async () => {
    const Items = [1, 2, 3].map((index) => ofUser("seen#42", `chat#${index}`, until));
    const { markers, sent } = markersWith(() => ({ body: { Items, LastEvaluatedKey: Key } }));
    expect(await markers.list({ callerId: "user#42" }, 100, 2)).to.have.length(2);
    expect(sent()).to.have.length(1);
  });

  it("throws where the table fails, and hands the signal that stops it to the client", async () => {
    const { markers } = markersWith(() => denied);
    for (const call of [markers.mark(key, 1), markers.list(key, 1, 1)]) {
      expect((await refusal(call)).message).to.equal("denied");
    }
    const { markers: stopped, requests } = markersWith(() => ({}));
    const signal = AbortSignal.abort();
    await stopped.mark(key, 1, signal);
    await stopped.list({ callerId: "user#42" }, 1, 1, signal);
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true, true]);
  });
});

describe("the markers of a user's sessions", () => {
  const client = new MemoryDynamoDb().client;
  for (const [name, markers] of [
    ["in DynamoDB", new DynamoDbSessionMarkers(client, { tableName: "t" })],
    ["in memory", new MemoryTable().markers],
  ] as const) {
    it(`are listed by user and context until they end: ${name}`, async () => {
      const other = { ...key, context: "chatter#7" };
      await markers.mark(key, 200);
      await markers.mark(other, 100);
      await markers.mark({ ...key, callerId: "user#43" }, 200);
      expect(await markers.list({ callerId: "user#42" }, 99, 50)).to.have.deep.members([key, other]);
      expect(await markers.list({ callerId: "user#42" }, 100, 50)).to.deep.equal([key]);
      expect(await markers.list({ callerId: "user#42", context: "chat" }, 99, 50)).to.deep.equal([key]);
      expect(await markers.list({ callerId: "user#42" }, 99, 1)).to.have.length(1);
      await markers.mark(key, 300);
      expect(await markers.list({ callerId: "user#42" }, 299, 50)).to.deep.equal([key]);
    });
  }

  it("are not read where a user's connections are listed", async () => {
    const { callerId } = key;
    expect(await new DynamoDbUserConnections(client, { tableName: "t" }).listByUser(callerId)).to.deep.equal({
      sessions: [],
      connections: [],
    });
  });
});
