import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { request } from "node:http";
import { once } from "node:events";
import { refusal } from "../../support/refusal";
import { item, key, startTable } from "./tableSetUp";

describe("the table's server", () => {
  it("survives a client that hangs up in the middle of a request", async () => {
    const { tables, create } = await startTable();
    const half = request(tables.endpoint, { method: "POST", headers: { "content-length": "1000" } });
    half.on("error", () => undefined);
    half.write("{");
    await once(half, "socket");
    await once(half.socket ?? half, "connect");
    half.destroy();
    await new Promise((resolve) => half.once("close", resolve));
    await create();
  });

  it("records writes, reads and what their conditions refuse, and no values", async () => {
    const { dynamodb, create, labels } = await startTable();
    const { id: TableName } = await create();
    await dynamodb.send(new PutItemCommand({ TableName, Item: item }));
    const again = new PutItemCommand({
      TableName,
      Item: item,
      ConditionExpression: "attribute_not_exists(caller_id)",
    });
    expect(await refusal(dynamodb.send(again))).to.be.instanceOf(ConditionalCheckFailedException);
    await dynamodb.send(new GetItemCommand({ TableName, Key: key }));
    const newer = new DeleteItemCommand({
      TableName,
      Key: key,
      ConditionExpression: "connection_id = :id",
      ExpressionAttributeValues: { ":id": { S: "c2" } },
    });
    expect(await refusal(dynamodb.send(newer))).to.be.instanceOf(ConditionalCheckFailedException);
    await dynamodb.send(new DeleteItemCommand({ TableName, Key: key }));
    await dynamodb.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key] } } }));
    expect(labels).to.deep.equal([
      "Lambda -> WSSessionDB: save session: ok",
      "Lambda -> WSSessionDB: save session: refused by its condition",
      "Lambda -> WSSessionDB: read session: 1 found",
      "Lambda -> WSSessionDB: delete session: refused by its condition",
      "Lambda -> WSSessionDB: delete session: ok",
      "Lambda -> WSSessionDB: read session: none found",
    ]);
  });
});
