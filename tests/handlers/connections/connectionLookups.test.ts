import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import {
  connectionIdOf,
  INDEX_SHARDS,
  expiryShardOf,
  lookupItemKey,
} from "../../../handlers/connections/connectionItems";
import { refusal } from "../../support/refusal";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

const lookup = {
  connectionId: "c1=",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
  session: { callerId: "user#42", context: "chat#7" },
};
const Key = { caller_id: { S: "connection#c1=" }, context: { S: "#connection" } };
const Item = {
  ...Key,
  connected_at: { N: "1700000000500" },
  expiration_date: { N: "1700010800" },
  session_caller_id: { S: "user#42" },
  session_context: { S: "chat#7" },
};
const ending = { ...lookup, tokenExpiresAt: 1_700_000_600 };
const endingItem = { ...Item, token_expires_at: { N: "1700000600" }, expiry_shard: { S: expiryShardOf("c1=") } };
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function lookupsWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const lookups = new DynamoDbConnectionLookups(client, { tableName: "t" });
  return { lookups, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

describe("DynamoDbConnectionLookups", () => {
  it("adds a lookup under the connection alone, which no index shows", async () => {
    const { lookups, sent } = lookupsWith(() => ({}));
    await lookups.add(lookup);
    expect(sent()).to.deep.equal([["PutItem", { TableName: "t", Item }]]);
  });

  it("adds when the token ends, and the shard by which the index finds that", async () => {
    const { lookups, sent } = lookupsWith(() => ({}));
    await lookups.add(ending);
    expect(sent()).to.deep.equal([["PutItem", { TableName: "t", Item: endingItem }]]);
  });

  it("deletes a lookup and returns it in one request", async () => {
    const { lookups, sent } = lookupsWith(() => ({ body: { Attributes: endingItem } }));
    expect(await lookups.remove("c1=")).to.deep.equal(ending);
    expect(sent()).to.deep.equal([["DeleteItem", { TableName: "t", Key, ReturnValues: "ALL_OLD" }]]);
  });

  it("returns none where it has deleted none", async () => {
    expect(await lookupsWith(() => ({})).lookups.remove("c1=")).to.equal(undefined);
  });

  it("reads when the token ends", async () => {
    expect(await lookupsWith(() => ({ body: { Item: endingItem } })).lookups.read("c1=")).to.deep.equal(ending);
  });

  it("reads a lookup consistently", async () => {
    const { lookups, sent } = lookupsWith(() => ({ body: { Item } }));
    expect(await lookups.read("c1=")).to.deep.equal(lookup);
    expect(sent()).to.deep.equal([["GetItem", { TableName: "t", Key, ConsistentRead: true }]]);
  });

  for (const [name, body] of [
    ["there is none", {}],
    ["it names no session", { Item: { ...Item, session_context: undefined } }],
    ["it is none of ours", { Item: Key }],
  ] as const) {
    it(`reads none where ${name}`, async () => {
      expect(await lookupsWith(() => ({ body })).lookups.read("c1=")).to.equal(undefined);
    });
  }

  it("throws where the table fails", async () => {
    const { lookups } = lookupsWith(() => denied);
    for (const call of [lookups.add(lookup), lookups.read("c1="), lookups.remove("c1=")]) {
      expect((await refusal(call)).message).to.equal("denied");
    }
  });

  it("hands the signal that stops it to the client", async () => {
    const { lookups, requests } = lookupsWith(() => ({}));
    await lookups.read("c1=", AbortSignal.abort());
    await lookups.remove("c1=", AbortSignal.abort());
    await lookups.add(lookup, AbortSignal.abort());
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true, true, true]);
  });
});

describe("a lookup's key", () => {
  it("is no session's, and has the connection's id", () => {
    const { callerId, context } = lookupItemKey("c1=");
    expect(callerId).not.to.match(/^user#/);
    expect(context).to.match(/^#/);
    expect(connectionIdOf(callerId)).to.equal("c1=");
    expect(connectionIdOf("user#42")).to.equal(undefined);
  });
});

describe("the shards of the token expiry index", () => {
  it("have connections spread over all of them", () => {
    const shards = new Set(Array.from({ length: 200 }, (_, i) => expiryShardOf(`connection${i}=`)));
    expect([...shards].sort()).to.deep.equal([...INDEX_SHARDS]);
  });
});
