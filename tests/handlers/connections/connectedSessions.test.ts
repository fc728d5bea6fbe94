import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbConnectedSessions } from "../../../handlers/connections/connectedSessions";
import { fakeCredentials, fakeRequestHandler } from "../../support/boundaries";
import { refusal } from "../../support/refusal";

const nowSeconds = 1_700_000_000;
const callerId = "user#42";

/** A row whose newest connection has these attributes; `superseded` ones are not live. */
function item(context: string, given: { endsIn?: number; tokenEndsIn?: number; isSuperseded?: boolean } = {}) {
  const { endsIn = 60, tokenEndsIn, isSuperseded = false } = given;
  const attributes = {
    connected_at: { N: "1699999999000" },
    expiration_date: { N: String(nowSeconds + endsIn) },
    ...(tokenEndsIn !== undefined && { token_expires_at: { N: String(nowSeconds + tokenEndsIn) } }),
  };
  return {
    ...{ caller_id: { S: callerId }, context: { S: context } },
    ...(isSuperseded ? { expiration_date: attributes.expiration_date } : { connection_id: { S: "c1" }, ...attributes }),
    connections: { M: { c1: { M: { ...attributes, ...(isSuperseded && { superseded_by: { S: "c2" } }) } } } },
    revision: { S: "r1" },
  };
}

function tableOf(...pages: object[][]) {
  const { requests, requestHandler } = fakeRequestHandler((_, index) => ({
    body: {
      Items: pages[index],
      ...(index + 1 < pages.length && { LastEvaluatedKey: { caller_id: { S: callerId } } }),
    },
  }));
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const sessions = new DynamoDbConnectedSessions(client, { tableName: "t" });
  return { sessions, requests, sent: () => requests.map(({ text }) => JSON.parse(text) as Record<string, unknown>) };
}

describe("DynamoDbConnectedSessions", () => {
  it("lists the user's sessions consistently, page by page", async () => {
    const { sessions, sent } = tableOf([item("chat#7")], [item("news#1")]);
    expect(await sessions.list({ callerId }, nowSeconds, 51)).to.deep.equal([
      { callerId, context: "chat#7" },
      { callerId, context: "news#1" },
    ]);
    expect(sent()[0]).to.deep.equal({
      TableName: "t",
      KeyConditionExpression: "caller_id = :user",
      ExpressionAttributeValues: { ":user": { S: callerId } },
      ConsistentRead: true,
    });
  });

  it("reads only the sessions of a context", async () => {
    const { sessions, sent } = tableOf([item("chat#7")]);
    await sessions.list({ callerId, context: "chat" }, nowSeconds, 51);
    expect(sent()[0]).to.include({ KeyConditionExpression: "caller_id = :user AND begins_with(context, :context)" });
    expect(sent()[0]?.ExpressionAttributeValues).to.deep.equal({
      ":user": { S: callerId },
      ":context": { S: "chat#" },
    });
  });

  it("leaves out sessions without a client: expired, ended with their token, superseded, or no session at all", async () => {
    const { sessions } = tableOf([
      { caller_id: { S: callerId }, context: { S: "#block" }, blocked_until: { N: "1" }, expiration_date: { N: "1" } },
      item("chat#1", { endsIn: 0 }),
      item("chat#2", { tokenEndsIn: 0 }),
      item("chat#3", { isSuperseded: true }),
      item("chat#4", { endsIn: 1, tokenEndsIn: 1 }),
    ]);
    expect(await sessions.list({ callerId }, nowSeconds, 51)).to.deep.equal([{ callerId, context: "chat#4" }]);
  });

  it("reads no further than the limit", async () => {
    const { sessions, requests } = tableOf([item("chat#1"), item("chat#2"), item("chat#3")], [item("chat#4")]);
    expect(await sessions.list({ callerId }, nowSeconds, 2)).to.have.lengthOf(2);
    expect(requests).to.have.lengthOf(1);
  });

  it("rejects if the table cannot be read", async () => {
    const { requestHandler } = fakeRequestHandler(() => ({ status: 400, body: { __type: "ValidationException" } }));
    const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
    const sessions = new DynamoDbConnectedSessions(client, { tableName: "t" });
    expect(await refusal(sessions.list({ callerId }, nowSeconds, 51))).to.have.property("name", "ValidationException");
  });
});
