import { once } from "node:events";
import type { AddressInfo } from "node:net";
import {
  BatchGetItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { tableStub } from "../../bench/tableStub";

const TableName = "history";
const keyOf = (entry: string) => ({ session: { S: "s" }, entry: { S: entry } });

describe("the stub of a table", () => {
  const server = tableStub(0);
  let client: DynamoDBClient;

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: "eu-west-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
    });
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: ["session", "entry"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        KeySchema: [
          { AttributeName: "session", KeyType: "HASH" },
          { AttributeName: "entry", KeyType: "RANGE" },
        ],
      }),
    );
    for (const entry of ["log#2", "log#1", "log#3", "cursor"]) {
      await client.send(new PutItemCommand({ TableName, Item: { ...keyOf(entry), count: { N: "1" } } }));
    }
  });

  after(async () => {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("refuses a write whose condition fails, and keeps the item", async () => {
    const put = new PutItemCommand({
      TableName,
      Item: { ...keyOf("log#1"), count: { N: "9" } },
      ConditionExpression: "attribute_not_exists(entry)",
    });
    const name = await client.send(put).then(
      () => undefined,
      (error: Error) => error.name,
    );
    expect(name).to.equal("ConditionalCheckFailedException");
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: keyOf("log#1") }));
    expect(Item?.count).to.deep.equal({ N: "1" });
  });

  it("updates an item, with maps and functions, and returns it", async () => {
    const update = new UpdateItemCommand({
      TableName,
      Key: keyOf("updated"),
      UpdateExpression: "SET #seen = if_not_exists(#seen, :none), n = :n REMOVE old",
      ExpressionAttributeNames: { "#seen": "seen" },
      ExpressionAttributeValues: { ":none": { M: {} }, ":n": { N: "2" } },
      ReturnValues: "ALL_NEW",
    });
    const { Attributes } = await client.send(update);
    expect(Attributes).to.deep.include({ seen: { M: {} }, n: { N: "2" } });
  });

  it("queries a part of a session in either order, page by page", async () => {
    const query = (more: object) =>
      client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "#session = :session AND begins_with(entry, :prefix)",
          ExpressionAttributeNames: { "#session": "session" },
          ExpressionAttributeValues: { ":session": { S: "s" }, ":prefix": { S: "log#" } },
          ...more,
        }),
      );
    const entriesOf = ({ Items = [] }: { Items?: Record<string, { S?: string }>[] }) =>
      Items.map(({ entry }) => entry?.S);
    expect(entriesOf((await query({})) as never)).to.deep.equal(["log#1", "log#2", "log#3"]);
    const last = await query({ ScanIndexForward: false, Limit: 1 });
    expect(entriesOf(last as never)).to.deep.equal(["log#3"]);
    expect(last.LastEvaluatedKey).to.deep.equal(keyOf("log#3"));
  });

  it("reads several items, without those that do not exist", async () => {
    const { Responses } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [keyOf("log#1"), keyOf("none")] } } }),
    );
    expect(Responses?.[TableName]).to.have.lengthOf(1);
  });

  it("deletes an item", async () => {
    await client.send(new DeleteItemCommand({ TableName, Key: keyOf("cursor") }));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: keyOf("cursor") }));
    expect(Item).to.equal(undefined);
  });
});
