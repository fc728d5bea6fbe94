import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { request } from "node:http";
import { once } from "node:events";
import { credentials, region } from "../../../local/account";
import type { Properties } from "../../../local/provision/resource";
import { tableFunctions, tableResources } from "../../../local/provision/table";
import { Tables } from "../../../local/dynamodb/table";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const sessionTable = {
  attributes: [
    { name: "caller_id", type: "S" },
    { name: "context", type: "S" },
    { name: "connection_id", type: "S" },
  ],
  hashKey: "caller_id",
  rangeKey: "context",
  billingMode: "PAY_PER_REQUEST",
  globalSecondaryIndexes: [{ name: "by-connection", hashKey: "connection_id", projectionType: "KEYS_ONLY" }],
};

const item = { caller_id: { S: "user#1" }, context: { S: "chat#7" }, connection_id: { S: "c1" } };
const key = { caller_id: item.caller_id, context: item.context };

async function start() {
  const trace = new Trace();
  const labels: string[] = [];
  trace.subscribe(({ from, to, label }) => labels.push(`${from} -> ${to}: ${label}`));
  const tables = await Tables.start({ trace });
  const dynamodb = new DynamoDBClient({ endpoint: tables.endpoint, region, credentials, maxAttempts: 1 });
  cleanUps.push(
    () => tables.close(),
    () => dynamodb.destroy(),
  );
  const table = tableResources(tables)["aws:dynamodb/table:Table"];
  if (!table?.update) throw new Error("no resource that can be updated");
  const create = (inputs: Properties = sessionTable) => table.create({ name: "relay-table", inputs });
  const { update } = table;
  const change = (id: string, inputs: Properties, olds: Properties = sessionTable) =>
    update(id, { name: "relay-table", inputs }, olds);
  return { tables, dynamodb, labels, table, create, change };
}

describe("a provisioned table", () => {
  it("is usable at once, under an autonamed name", async () => {
    const { dynamodb, create } = await start();
    const { id, outputs } = await create();
    expect(id).to.match(/^relay-table-[0-9a-f]{7}$/);
    expect(outputs).to.include({ id, name: id, arn: `arn:aws:dynamodb:us-east-1:000000000000:table/${id}` });
    await dynamodb.send(new PutItemCommand({ TableName: id, Item: item }));
    const { Items } = await dynamodb.send(
      new QueryCommand({
        TableName: id,
        IndexName: "by-connection",
        KeyConditionExpression: "connection_id = :id",
        ExpressionAttributeValues: { ":id": { S: "c1" } },
      }),
    );
    expect(Items).to.deep.equal([item]);
  });

  it("has the name that its inputs give", async () => {
    const { create } = await start();
    expect((await create({ ...sessionTable, name: "sessions" })).id).to.equal("sessions");
  });

  it("has an index whose keys come as keySchemas", async () => {
    const { dynamodb, create } = await start();
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

  it("has provisioned capacity", async () => {
    const { dynamodb, create } = await start();
    const { id } = await create({
      attributes: [{ name: "id", type: "S" }],
      hashKey: "id",
      readCapacity: 2,
      writeCapacity: 3,
    });
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: id }));
    expect(Table?.ProvisionedThroughput).to.include({ ReadCapacityUnits: 2, WriteCapacityUnits: 3 });
  });

  it("keeps its items when ttl, tags and protection change", async () => {
    const { dynamodb, create, change } = await start();
    const { id } = await create();
    await dynamodb.send(new PutItemCommand({ TableName: id, Item: item }));
    const outputs = await change(id, {
      ...sessionTable,
      ttl: { attributeName: "expiration_date", enabled: true },
      tags: { team: "a" },
      deletionProtectionEnabled: true,
    });
    expect(outputs).to.include({ id, name: id });
    expect((await dynamodb.send(new GetItemCommand({ TableName: id, Key: key }))).Item).to.deep.equal(item);
  });

  it("keeps its items when it changes to on-demand capacity", async () => {
    const { dynamodb, create, change } = await start();
    const inputs = { attributes: [{ name: "id", type: "S" }], hashKey: "id", readCapacity: 1, writeCapacity: 1 };
    const { id: TableName } = await create(inputs);
    await dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: "1" } } }));
    await change(TableName, { ...inputs, billingMode: "PAY_PER_REQUEST" }, inputs);
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    expect(Table?.BillingModeSummary?.BillingMode).to.equal("PAY_PER_REQUEST");
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key: { id: { S: "1" } } }));
    expect(Item).to.deep.equal({ id: { S: "1" } });
  });

  it("is replaced when its name or its keys change", async () => {
    const { table } = await start();
    expect(table.replaceOnChanges).to.have.members(["name", "hashKey", "rangeKey"]);
  });

  it("is gone when it has been deleted, and its name is free", async () => {
    const { dynamodb, table, create } = await start();
    const inputs = { ...sessionTable, name: "sessions" };
    await create(inputs);
    await table.delete("sessions", inputs);
    const describe = dynamodb.send(new DescribeTableCommand({ TableName: "sessions" }));
    expect(await refusal(describe)).to.be.instanceOf(ResourceNotFoundException);
    await create(inputs);
  });

  it("is not deleted while it is protected", async () => {
    const { table, create } = await start();
    const inputs = { ...sessionTable, deletionProtectionEnabled: true };
    const { id } = await create(inputs);
    expect((await refusal(table.delete(id, inputs))).message).to.contain("deletionProtectionEnabled");
    await table.delete(id, { ...inputs, deletionProtectionEnabled: false });
  });

  it("has an index hold what it includes, of the items that have its keys, and nothing else", async () => {
    const { dynamodb, create } = await start();
    const { id: TableName } = await create({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "session",
      rangeKey: "entry",
      attributes: [
        ...["session", "entry", "expiry_shard"].map((name) => ({ name, type: "S" })),
        { name: "due_at", type: "N" },
      ],
      globalSecondaryIndexes: [
        {
          name: "due",
          keySchemas: [
            { attributeName: "expiry_shard", keyType: "HASH" },
            { attributeName: "due_at", keyType: "RANGE" },
          ],
          projectionType: "INCLUDE",
          nonKeyAttributes: ["seq"],
        },
      ],
    });
    const item = { session: { S: "s" }, entry: { S: "1" }, seq: { N: "1" } };
    const due = { ...item, expiry_shard: { S: "0" }, due_at: { N: "5" } };
    await dynamodb.send(new PutItemCommand({ TableName, Item: { ...due, body: { S: "large" } } }));
    await dynamodb.send(new PutItemCommand({ TableName, Item: { ...item, entry: { S: "2" } } }));
    const { Items } = await dynamodb.send(
      new QueryCommand({
        TableName,
        IndexName: "due",
        KeyConditionExpression: "expiry_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues: { ":shard": { S: "0" }, ":now": { N: "5" } },
      }),
    );
    expect(Items).to.deep.equal([due]);
  });

  it("is refused with a ttl that is enabled and names no attribute", async () => {
    const { create } = await start();
    const message = (await refusal(create({ ...sessionTable, ttl: { enabled: true } }))).message;
    expect(message).to.contain("ttl.attributeName");
  });

  it("is refused with a key that is no attribute", async () => {
    const { create } = await start();
    expect((await refusal(create({ ...sessionTable, hashKey: "other" }))).name).to.equal("ValidationException");
  });

  it("is refused under a name that is taken", async () => {
    const { create } = await start();
    await create({ ...sessionTable, name: "sessions" });
    const error = await refusal(create({ ...sessionTable, name: "sessions" }));
    expect(error.name).to.equal("ResourceInUseException");
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
    const { dynamodb, create, change } = await start();
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

  it("keeps who asks waiting while an index is added, and loses no write", async () => {
    const { dynamodb, create, change } = await start();
    const { id: TableName } = await create();
    const changing = change(TableName, withExpiryIndex);
    const puts = Array.from({ length: 20 }, (_, n) =>
      dynamodb.send(new PutItemCommand({ TableName, Item: { ...item, context: { S: `chat#${n}` } } })),
    );
    await Promise.all([changing, ...puts]);
    expect((await dynamodb.send(new ScanCommand({ TableName }))).Count).to.equal(20);
  });

  it("stays as it was where the new index is refused, or an item does not fit it", async () => {
    const { dynamodb, create, change } = await start();
    const { id: TableName } = await create();
    const { attributes } = sessionTable;
    const unknownKey = await refusal(change(TableName, { ...withExpiryIndex, attributes }));
    expect(unknownKey.name).to.equal("ValidationException");
    const Item = { ...expiring, token_expires_at: { S: "soon" } };
    await dynamodb.send(new PutItemCommand({ TableName, Item }));
    expect((await refusal(change(TableName, withExpiryIndex))).name).to.equal("ValidationException");
    expect((await dynamodb.send(new GetItemCommand({ TableName, Key: key }))).Item).to.deep.equal(Item);
  });

  it("accepts recovery, encryption and protection, which have no effect on items", async () => {
    const { create } = await start();
    const serverSideEncryption = { enabled: true, kmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" };
    await create({ ...sessionTable, pointInTimeRecovery: { enabled: true }, serverSideEncryption });
  });

  it("is read by its name, as get() and getTable do", async () => {
    const { tables, table, create } = await start();
    const { id } = await create();
    const expected = {
      id,
      name: id,
      arn: `arn:aws:dynamodb:us-east-1:000000000000:table/${id}`,
      region: "us-east-1",
      hashKey: "caller_id",
      rangeKey: "context",
      billingMode: "PAY_PER_REQUEST",
      attributes: sessionTable.attributes,
      globalSecondaryIndexes: [
        {
          name: "by-connection",
          hashKey: "connection_id",
          rangeKey: undefined,
          projectionType: "KEYS_ONLY",
          nonKeyAttributes: [],
        },
      ],
    };
    const getTable = tableFunctions(tables)["aws:dynamodb/getTable:getTable"];
    expect(await table.read?.(id)).to.deep.equal(expected);
    expect(await getTable?.({ name: id })).to.deep.equal(expected);
  });

  it("that does not exist is read as nothing by get(), and refused by getTable", async () => {
    const { tables, table } = await start();
    expect(await table.read?.("none")).to.equal(undefined);
    const getTable = tableFunctions(tables)["aws:dynamodb/getTable:getTable"];
    expect((await refusal(Promise.resolve(getTable?.({ name: "none" })))).message).to.include(
      "ResourceNotFoundException",
    );
  });

  it("is not made once the run closes, and ends nobody's process", async () => {
    const { tables, create } = await start();
    await tables.close();
    expect((await refusal(create())).message).to.include("closed");
  });
});

describe("held answers", () => {
  it("are sent when they are released, while the write has already happened", async () => {
    const { tables, dynamodb, create } = await start();
    const { id } = await create();
    tables.holdAnswers();
    let isAnswered = false;
    const put = dynamodb.send(new PutItemCommand({ TableName: id, Item: item })).then(() => (isAnswered = true));
    await tables.untilHeld();
    expect(tables.heldAnswers()).to.equal(1);
    const read = await dynamodb.send(new GetItemCommand({ TableName: id, Key: key, ConsistentRead: true }));
    expect(read.Item).to.deep.equal(item);
    expect(isAnswered).to.equal(false);
    tables.releaseAnswers();
    await put;
    expect(tables.heldAnswers()).to.equal(0);
    await dynamodb.send(new DeleteItemCommand({ TableName: id, Key: key }));
  });

  it("are those of later writes, where the first ones are still to be answered", async () => {
    const { tables, dynamodb, create } = await start();
    const { id } = await create();
    tables.holdAnswers(1);
    await dynamodb.send(new PutItemCommand({ TableName: id, Item: item }));
    expect(tables.heldAnswers()).to.equal(0);
    const deletion = dynamodb.send(new DeleteItemCommand({ TableName: id, Key: key }));
    await tables.untilHeld();
    tables.releaseAnswers();
    await deletion;
  });

  it("end with their connections when the tables are closed", async () => {
    const { tables, dynamodb, create } = await start();
    const { id } = await create();
    tables.holdAnswers();
    const put = refusal(dynamodb.send(new PutItemCommand({ TableName: id, Item: item })));
    await tables.untilHeld();
    await tables.close();
    expect(await put).to.be.instanceOf(Error);
  });

  it("do no harm when their client has hung up", async () => {
    const { tables, dynamodb, create } = await start();
    const { id } = await create();
    tables.holdAnswers();
    const hungUp = new AbortController();
    const put = dynamodb.send(new PutItemCommand({ TableName: id, Item: item }), { abortSignal: hungUp.signal });
    await tables.untilHeld();
    hungUp.abort();
    await refusal(put);
    tables.releaseAnswers();
    const read = await dynamodb.send(new GetItemCommand({ TableName: id, Key: key }));
    expect(read.Item).to.deep.equal(item);
  });
});

describe("the table's server", () => {
  it("survives a client that hangs up in the middle of a request", async () => {
    const { tables, create } = await start();
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
    const { dynamodb, create, labels } = await start();
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
