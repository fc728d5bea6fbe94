import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  BatchGetItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { type Statement } from "../iam/roles";
import { key, roleOf, useKey } from "../iam/caller";
import { startTables } from "./tableSetUp";

describe("a role's call to a table", () => {
  const keys = { id: { S: "1" } };
  const inputs = {
    name: "table",
    attributes: [{ name: "id", type: "S" }],
    hashKey: "id",
    billingMode: "PAY_PER_REQUEST",
    globalSecondaryIndexes: [{ name: "by-id", hashKey: "id", projectionType: "ALL" }],
  };

  async function start(statements: Statement[], changes: Properties = {}) {
    const iam = new Iam();
    const { dynamodb, table } = await startTables({ iam }, roleOf(iam, ...statements));
    await table.create({ name: "table", inputs: { ...inputs, ...changes } });
    return { dynamodb };
  }

  const table = "arn:aws:dynamodb:us-east-1:000000000000:table/table";
  const read = (dynamodb: DynamoDBClient) => dynamodb.send(new GetItemCommand({ TableName: "table", Key: keys }));
  const query = (IndexName?: string) =>
    new QueryCommand({
      TableName: "table",
      IndexName,
      KeyConditionExpression: "id = :id",
      ExpressionAttributeValues: { ":id": { S: "1" } },
    });

  it("is answered AccessDeniedException unless its role allows it, and writes nothing", async () => {
    const { dynamodb } = await start([{ Action: "dynamodb:GetItem", Resource: table }]);
    const denied = await refusal(dynamodb.send(new PutItemCommand({ TableName: "table", Item: keys })));
    expect(denied.name).to.equal("AccessDeniedException");
    expect(denied.message).to.contain(`not authorized to perform: dynamodb:PutItem on resource: ${table} because`);
    expect((await read(dynamodb)).Item).to.equal(undefined);
  });

  it("is about an index where it names one, and about each table of a batch", async () => {
    const statement = { Action: ["dynamodb:Query", "dynamodb:BatchGetItem"], Resource: `${table}/index/by-id` };
    const { dynamodb } = await start([statement]);
    await dynamodb.send(query("by-id"));
    expect((await refusal(dynamodb.send(query()))).message).to.contain(`on resource: ${table} `);
    const batch = new BatchGetItemCommand({ RequestItems: { table: { Keys: [keys] } } });
    expect((await refusal(dynamodb.send(batch))).message).to.contain(`dynamodb:BatchGetItem on resource: ${table} `);
  });

  it("takes kms:Decrypt where a customer's key encrypts the table", async () => {
    const encrypted = { serverSideEncryption: { enabled: true, kmsKeyArn: key } };
    const own: Statement = { Action: "dynamodb:*", Resource: table };
    const without = await start([own], encrypted);
    expect((await refusal(read(without.dynamodb))).message).to.contain(`perform: kms:Decrypt on resource: ${key}`);
    const { dynamodb } = await start([own, useKey], encrypted);
    await read(dynamodb);
  });
});
