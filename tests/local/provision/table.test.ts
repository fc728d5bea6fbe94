import {
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { tableFunctions } from "../../../local/provision/table";
import { refusal } from "../../support/refusal";
import { item, key, sessionTable, startTable } from "../dynamodb/tableSetUp";

describe("a provisioned table", () => {
  it("is usable at once, under an autonamed name", async () => {
    const { dynamodb, create } = await startTable();
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
    const { create } = await startTable();
    expect((await create({ ...sessionTable, name: "sessions" })).id).to.equal("sessions");
  });

  it("has provisioned capacity", async () => {
    const { dynamodb, create } = await startTable();
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
    const { dynamodb, create, change } = await startTable();
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
    const { dynamodb, create, change } = await startTable();
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
    const { table } = await startTable();
    expect(table.replaceOnChanges).to.have.members(["name", "hashKey", "rangeKey"]);
  });

  it("is gone when it has been deleted, and its name is free", async () => {
    const { dynamodb, table, create } = await startTable();
    const inputs = { ...sessionTable, name: "sessions" };
    await create(inputs);
    await table.delete("sessions", inputs);
    const describe = dynamodb.send(new DescribeTableCommand({ TableName: "sessions" }));
    expect(await refusal(describe)).to.be.instanceOf(ResourceNotFoundException);
    await create(inputs);
  });

  it("is not deleted while it is protected", async () => {
    const { table, create } = await startTable();
    const inputs = { ...sessionTable, deletionProtectionEnabled: true };
    const { id } = await create(inputs);
    expect((await refusal(table.delete(id, inputs))).message).to.contain("deletionProtectionEnabled");
    await table.delete(id, { ...inputs, deletionProtectionEnabled: false });
  });

  it("is refused with a ttl that is enabled and names no attribute", async () => {
    const { create } = await startTable();
    const message = (await refusal(create({ ...sessionTable, ttl: { enabled: true } }))).message;
    expect(message).to.contain("ttl.attributeName");
  });

  it("is refused with a key that is no attribute", async () => {
    const { create } = await startTable();
    expect((await refusal(create({ ...sessionTable, hashKey: "other" }))).name).to.equal("ValidationException");
  });

  it("is refused under a name that is taken", async () => {
    const { create } = await startTable();
    await create({ ...sessionTable, name: "sessions" });
    const error = await refusal(create({ ...sessionTable, name: "sessions" }));
    expect(error.name).to.equal("ResourceInUseException");
  });

  it("accepts recovery, encryption and protection, which have no effect on items", async () => {
    const { create } = await startTable();
    const serverSideEncryption = { enabled: true, kmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" };
    await create({ ...sessionTable, pointInTimeRecovery: { enabled: true }, serverSideEncryption });
  });

  it("is read by its name, as get() and getTable do", async () => {
    const { tables, table, create } = await startTable();
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
    const { tables, table } = await startTable();
    expect(await table.read?.("none")).to.equal(undefined);
    const getTable = tableFunctions(tables)["aws:dynamodb/getTable:getTable"];
    expect((await refusal(Promise.resolve(getTable?.({ name: "none" })))).message).to.include(
      "ResourceNotFoundException",
    );
  });

  it("is not made once the run closes, and does not end the process", async () => {
    const { tables, create } = await startTable();
    await tables.close();
    expect((await refusal(create())).message).to.include("closed");
  });
});
