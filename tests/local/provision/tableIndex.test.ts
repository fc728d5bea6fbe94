import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { item, key, sessionTable, startTable } from "../dynamodb/tableSetUp";

describe("a provisioned table", () => {
  it("has an index whose keys come as keySchemas", async () => {
    const { dynamodb, create } = await startTable();
    const keySchemas = [
      { attributeName: "connection_id", keyType: "HASH" },
      { attributeName: "context", keyType: "RANGE" },
    ];
    const { id } = await create({
      ...sessionTable,
      globalSecondaryIndexes: [{ name: "by-connection", keySchemas, projectionType: "ALL" }],
    });
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: id }));
    expect(Table?.GlobalSecondaryIndexes?.[0]?.KeySchema).to.deep.equal([
      { AttributeName: "connection_id", KeyType: "HASH" },
      { AttributeName: "context", KeyType: "RANGE" },
    ]);
  });

  it("has an index hold what it includes, of the items that have its keys, and nothing else", async () => {
    const { dynamodb, create } = await startTable();
    const { id: TableName } = await create({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "session",
      rangeKey: "entry",
      attributes: [
        ...["session", "entry", "due_shard"].map((name) => ({ name, type: "S" })),
        { name: "due_at", type: "N" },
      ],
      globalSecondaryIndexes: [
        {
          name: "due",
          keySchemas: [
            { attributeName: "due_shard", keyType: "HASH" },
            { attributeName: "due_at", keyType: "RANGE" },
          ],
          projectionType: "INCLUDE",
          nonKeyAttributes: ["seq"],
        },
      ],
    });
    const item = { session: { S: "s" }, entry: { S: "1" }, seq: { N: "1" } };
    const due = { ...item, due_shard: { S: "0" }, due_at: { N: "5" } };
    await dynamodb.send(new PutItemCommand({ TableName, Item: { ...due, body: { S: "large" } } }));
    await dynamodb.send(new PutItemCommand({ TableName, Item: { ...item, entry: { S: "2" } } }));
    const { Items } = await dynamodb.send(
      new QueryCommand({
        TableName,
        IndexName: "due",
        KeyConditionExpression: "due_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues: { ":shard": { S: "0" }, ":now": { N: "5" } },
      }),
    );
    expect(Items).to.deep.equal([due]);
  });

  const expiryIndex = {
    name: "token-expiry",
    projectionType: "KEYS_ONLY",
    keySchemas: [
      { attributeName: "expiry_shard", keyType: "HASH" },
      { attributeName: "token_expires_at", keyType: "RANGE" },
    ],
  };
  const withExpiryIndex = {
    ...sessionTable,
    attributes: [
      ...sessionTable.attributes,
      { name: "expiry_shard", type: "S" },
      { name: "token_expires_at", type: "N" },
    ],
    globalSecondaryIndexes: [...sessionTable.globalSecondaryIndexes, expiryIndex],
  };
  const expiring = { ...item, expiry_shard: { S: "3" }, token_expires_at: { N: "12" } };
  const indexedItems = async (dynamodb: DynamoDBClient, TableName: string) => {
    const query = new QueryCommand({
      TableName,
      IndexName: "token-expiry",
      KeyConditionExpression: "expiry_shard = :shard",
      ExpressionAttributeValues: { ":shard": { S: "3" } },
    });
    return (await dynamodb.send(query)).Items;
  };

  it("keeps its items when an index is added in place, and finds by the index what was there before", async () => {
    const { dynamodb, create, change } = await startTable();
    const { id: TableName } = await create();
    for (let n = 0; n < 60; n += 1) {
      const Item = { ...(n === 7 ? expiring : item), context: { S: `chat#${n}` }, blob: { S: "x".repeat(30_000) } };
      await dynamodb.send(new PutItemCommand({ TableName, Item }));
    }

    const outputs = await change(TableName, withExpiryIndex);

    expect(outputs).to.include({ id: TableName, name: TableName });
    const first = await dynamodb.send(new ScanCommand({ TableName, Select: "COUNT" }));
    const rest = new ScanCommand({ TableName, Select: "COUNT", ExclusiveStartKey: first.LastEvaluatedKey });
    expect((first.Count ?? 0) + ((await dynamodb.send(rest)).Count ?? 0), "over 1 MB, so two pages").to.equal(60);
    expect((await indexedItems(dynamodb, TableName))?.map(({ context }) => context)).to.deep.equal([{ S: "chat#7" }]);
    await change(TableName, sessionTable, withExpiryIndex);
    const gone = await refusal(indexedItems(dynamodb, TableName));
    expect(gone.name).to.equal("ValidationException");
  });

  it("keeps requests waiting while an index is added, and loses no write", async () => {
    const { dynamodb, create, change } = await startTable();
    const { id: TableName } = await create();
    const changing = change(TableName, withExpiryIndex);
    const puts = Array.from({ length: 20 }, (_, n) =>
      dynamodb.send(new PutItemCommand({ TableName, Item: { ...item, context: { S: `chat#${n}` } } })),
    );
    await Promise.all([changing, ...puts]);
    expect((await dynamodb.send(new ScanCommand({ TableName }))).Count).to.equal(20);
  });

  it("stays as it was where the new index is refused, or an item does not fit it", async () => {
    const { dynamodb, create, change } = await startTable();
    const { id: TableName } = await create();
    const { attributes } = sessionTable;
    const unknownKey = await refusal(change(TableName, { ...withExpiryIndex, attributes }));
    expect(unknownKey.name).to.equal("ValidationException");
    const Item = { ...expiring, token_expires_at: { S: "soon" } };
    await dynamodb.send(new PutItemCommand({ TableName, Item }));
    expect((await refusal(change(TableName, withExpiryIndex))).name).to.equal("ValidationException");
    expect((await dynamodb.send(new GetItemCommand({ TableName, Key: key }))).Item).to.deep.equal(Item);
  });
});
