import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbConnectionIndex } from "../../../handlers/connections/connectionIndex";
import { DynamoDbTokenExpiryIndex } from "../../../handlers/connections/tokenExpiryIndex";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";
import { refusal } from "../../support/refusal";

const table = { tableName: "t", indexName: "i" };
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function clientWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  return { client, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const page of pages) read.push(page);
  return read;
}

describe("DynamoDbTokenExpiryIndex", () => {
  const lookup = (id: string) => ({ caller_id: { S: `connection#${id}` }, context: { S: "#connection" } });

  it("finds the connections of a shard whose token has ended, page by page", async () => {
    const { client, sent } = clientWith((_, index) => ({
      body:
        index === 0
          ? { Items: [lookup("c1=")], LastEvaluatedKey: lookup("c1=") }
          : { Items: [lookup("c2="), { caller_id: { S: "not one of ours" } }] },
    }));
    const index = new DynamoDbTokenExpiryIndex(client, table);
    expect(await all(index.findExpired("3", 1_700_000_600))).to.deep.equal([["c1="], ["c2="]]);
    const query = {
      TableName: "t",
      IndexName: "i",
      KeyConditionExpression: "expiry_shard = :shard AND token_expires_at <= :now",
      ExpressionAttributeValues: { ":shard": { S: "3" }, ":now": { N: "1700000600" } },
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: lookup("c1=") }],
    ]);
  });

  it("throws where the table fails", async () => {
    const { client } = clientWith(() => denied);
    const index = new DynamoDbTokenExpiryIndex(client, table);
    expect((await refusal(all(index.findExpired("0", 1)))).message).to.equal("denied");
  });

  it("hands the signal that stops it to the client", async () => {
    const { client, requests } = clientWith(() => ({}));
    await all(new DynamoDbTokenExpiryIndex(client, table).findExpired("0", 1, AbortSignal.abort()));
    expect(requests.map(({ aborted }) => aborted)).to.deep.equal([true]);
  });
});

describe("DynamoDbConnectionIndex", () => {
  const Key = { caller_id: { S: "user#42" }, context: { S: "chat#7" } };

  it("finds a connection's sessions, page by page", async () => {
    const other = { ...Key, context: { S: "chat#8" } };
    const { client, sent } = clientWith((_, index) => ({
      body: index === 0 ? { Items: [Key], LastEvaluatedKey: Key } : { Items: [other] },
    }));
    expect(await new DynamoDbConnectionIndex(client, table).find("c1")).to.deep.equal([
      { callerId: "user#42", context: "chat#7" },
      { callerId: "user#42", context: "chat#8" },
    ]);
    const query = {
      TableName: "t",
      IndexName: "i",
      KeyConditionExpression: "connection_id = :id",
      ExpressionAttributeValues: { ":id": { S: "c1" } },
    };
    expect(sent()).to.deep.equal([
      ["Query", query],
      ["Query", { ...query, ExclusiveStartKey: Key }],
    ]);
  });

  it("throws where the table fails", async () => {
    const { client } = clientWith(() => denied);
    expect((await refusal(new DynamoDbConnectionIndex(client, table).find("c1"))).message).to.equal("denied");
  });
});
