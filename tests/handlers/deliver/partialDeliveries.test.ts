import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { DynamoDbPartialDeliveries } from "../../../handlers/deliver/partialDeliveries";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";
import { afterTest } from "../../support/afterTest";
import { realTable } from "../../support/realTables";
import { refusal } from "../../support/refusal";
import { SESSION_TABLE } from "../../support/tableDeclarations";

function partialsWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const partials = new DynamoDbPartialDeliveries(client, { tableName: "t" });
  return { partials, requests, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

const keyOf = (id: string) => ({ caller_id: { S: `delivery#${id}` }, context: { S: "#delivery" } });

describe("DynamoDbPartialDeliveries", () => {
  it("adds connections to those of the message, with the time when the table may forget them", async () => {
    const { partials, sent } = partialsWith(() => ({}));
    await partials.add("m1", ["c1=", "c2="], 1_700_000_000);
    expect(sent()).to.deep.equal([
      [
        "UpdateItem",
        {
          TableName: "t",
          Key: keyOf("m1"),
          UpdateExpression: "ADD taken_by :ids SET expiration_date = :expirationDate",
          ExpressionAttributeValues: { ":ids": { SS: ["c1=", "c2="] }, ":expirationDate": { N: "1700000000" } },
        },
      ],
    ]);
  });

  it("reads all messages' consistently in one request, each once", async () => {
    const { partials, sent } = partialsWith(() => ({
      body: { Responses: { t: [{ ...keyOf("m2"), taken_by: { SS: ["c1=", "c2="] } }] } },
    }));
    expect(await partials.read(["m1", "m2", "m1"])).to.deep.equal(new Map([["m2", new Set(["c1=", "c2="])]]));
    expect(sent()).to.deep.equal([
      ["BatchGetItem", { RequestItems: { t: { Keys: [keyOf("m1"), keyOf("m2")], ConsistentRead: true } } }],
    ]);
  });

  it("reads more messages' than a request may name", async () => {
    const { partials, requests } = partialsWith(() => ({ body: { Responses: { t: [] } } }));
    expect(await partials.read(Array.from({ length: 101 }, (_, i) => `m${i}`))).to.deep.equal(new Map());
    expect(requests).to.have.lengthOf(2);
  });

  it("keeps the connections of all attempts, in a real table", async () => {
    const { client, tableName, close } = await realTable(SESSION_TABLE);
    afterTest(close);
    const partials = new DynamoDbPartialDeliveries(client, { tableName });
    await partials.add("m1", ["c1=", "c2="], 1_700_000_000);
    await partials.add("m1", ["c3=", "c1="], 1_700_000_000);
    expect(await partials.read(["m1", "m2"])).to.deep.equal(new Map([["m1", new Set(["c1=", "c2=", "c3="])]]));
  });

  for (const [name, call] of [
    ["read", (partials: DynamoDbPartialDeliveries) => partials.read(["m1"])],
    ["added", (partials: DynamoDbPartialDeliveries) => partials.add("m1", ["c1="], 1)],
  ] as const) {
    it(`rejects where they cannot be ${name}`, async () => {
      const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "no" } };
      const error = await refusal(call(partialsWith(() => denied).partials) as Promise<unknown>);
      expect(error.message).to.equal("no");
    });
  }
});
