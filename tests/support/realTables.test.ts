import { DeleteItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import type { Item } from "../../handlers/tableClient";
import { type RealTable, realTable } from "./realTables";
import { refusal } from "./refusal";
import { HISTORY_TABLE } from "./tableDeclarations";

const Key = { session: { S: "s" }, entry: { S: "e" } };

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MAX_ITEM_BYTES = 409_600;

/** What the stores expect of DynamoDB, besides what their own tests show. */
describe("a table", () => {
  let table: RealTable;
  beforeEach(async () => {
    table = await realTable(HISTORY_TABLE);
  });
  afterEach(() => table.close());

  const put = (more: Item, condition?: string) =>
    table.client.send(
      new PutItemCommand({ TableName: table.tableName, Item: { ...Key, ...more }, ConditionExpression: condition }),
    );
  const update = (UpdateExpression: string, values: Item = {}, ConditionExpression?: string) =>
    table.client.send(
      new UpdateItemCommand({
        TableName: table.tableName,
        Key,
        UpdateExpression,
        ConditionExpression,
        ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
      }),
    );
  const errorOf = async (promise: Promise<unknown>) => (await refusal(promise)).name;
  const nameBytes = "session".length + "s".length + "entry".length + "e".length + "a".length;

  describe("lets one of the writes succeed that have the same condition at the same time", () => {
    for (const [name, write] of [
      ["a put", () => put({}, "attribute_not_exists(entry)")],
      ["an update", () => update("SET a = :a", { ":a": { S: "x" } }, "attribute_not_exists(entry)")],
      [
        "a deletion",
        () =>
          table.client.send(
            new DeleteItemCommand({
              TableName: table.tableName,
              Key: { ...Key, entry: { S: "old" } },
              ConditionExpression: "attribute_exists(entry)",
            }),
          ),
      ],
    ] as const) {
      it(name, async () => {
        await put({ entry: { S: "old" } });
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, () =>
            write().then(
              () => "ok",
              ({ name: error }: Error) => error,
            ),
          ),
        );
        expect(outcomes.filter((outcome) => outcome === "ok")).to.have.lengthOf(1);
        expect(new Set(outcomes)).to.deep.equal(new Set(["ok", "ConditionalCheckFailedException"]));
      });
    }
  });

  describe("has items of up to 400 KB", () => {
    for (const [name, value] of [
      ["in bytes of UTF-8", (bytes: number) => ({ S: "é".repeat(Math.floor(bytes / 2)) + "x".repeat(bytes % 2) })],
      ["in bytes of a binary", (bytes: number) => ({ B: Buffer.alloc(bytes, 7) })],
    ] as const) {
      it(name, async () => {
        await put({ a: value(MAX_ITEM_BYTES - nameBytes) });
        expect(await errorOf(put({ a: value(MAX_ITEM_BYTES - nameBytes + 1) }))).to.equal("ValidationException");
        const a = value(MAX_ITEM_BYTES - nameBytes + 1);
        expect(await errorOf(update("SET a = :a", { ":a": a }))).to.equal("ValidationException");
      });
    }

    it("where an update replaces most of it", async () => {
      await put({ a: { S: "x".repeat(300_000) } });
      await update("SET a = :a", { ":a": { S: "y".repeat(300_000) } });
      expect((await table.rawItem(Key))?.a?.S?.[0]).to.equal("y");
    });
  });

  it("reads pages of a megabyte in bytes of UTF-8", async () => {
    for (let i = 0; i < 5; i++) await put({ entry: { S: `e${i}` }, a: { S: "é".repeat(150_000) } });
    const query = {
      TableName: table.tableName,
      KeyConditionExpression: "#s = :s",
      ExpressionAttributeNames: { "#s": "session" },
      ExpressionAttributeValues: { ":s": Key.session },
    };
    const { Items = [], LastEvaluatedKey } = await table.client.send(new QueryCommand(query));
    expect(Items).to.have.lengthOf.within(3, 4);
    const rest = await table.client.send(new QueryCommand({ ...query, ExclusiveStartKey: LastEvaluatedKey }));
    expect([...Items, ...(rest.Items ?? [])].map(({ entry }) => entry?.S)).to.deep.equal([
      "e0",
      "e1",
      "e2",
      "e3",
      "e4",
    ]);
  });

  describe("has keys of tables and indexes", () => {
    const [partition, sort] = ["é".repeat(1_024), "é".repeat(512)];

    it("of up to 2,048 bytes where they are partition keys, and up to 1,024 where they are sort keys", async () => {
      await put({ session: { S: partition }, entry: { S: sort }, due_shard: { S: partition }, due_at: { N: "1" } });
    });

    for (const [name, keys] of [
      ["no longer partition keys", { session: { S: `${partition}x` } }],
      ["no longer sort keys", { entry: { S: `${sort}x` } }],
      ["no longer partition keys of an index", { due_shard: { S: `${partition}x` }, due_at: { N: "1" } }],
      ["no empty ones", { entry: { S: "" } }],
      ["no empty ones of an index", { due_shard: { S: "" }, due_at: { N: "1" } }],
      ["none of another type", { entry: { N: "1" } }],
      ["none of another type of an index", { due_shard: { S: "1" }, due_at: { S: "1" } }],
    ] as const) {
      it(name, async () => {
        expect(await errorOf(put(keys))).to.equal("ValidationException");
      });
    }
  });

  describe("changes nothing where an update fails", () => {
    const before = { ...Key, a: { S: "x" }, n: { N: "1" } };

    for (const [name, expression] of [
      ["by a path that does not exist", "SET n = :n, b.c = :n"],
      ["by an attribute that does not exist", "SET n = :n, d = absent"],
      ["by another type than it adds to", "SET n = :n ADD a :n"],
      ["by another type than an index has", "SET n = :n, due_shard = :n"],
    ] as const) {
      it(name, async () => {
        await put(before);
        expect(await errorOf(update(expression, { ":n": { N: "2" } }))).to.equal("ValidationException");
        expect(await table.rawItem(Key)).to.deep.equal(before);
      });
    }
  });

  it("updates by the item as it was before, whatever the order", async () => {
    await put({ a: { S: "x" }, b: { S: "y" }, c: { SS: ["1", "2"] } });
    await update("REMOVE due_at, e SET a = b, b = a ADD n :n, c :c", { ":n": { N: "3" }, ":c": { SS: ["2", "3"] } });
    const { c, ...rest } = (await table.rawItem(Key)) ?? {};
    expect(rest).to.deep.equal({ ...Key, a: { S: "y" }, b: { S: "x" }, n: { N: "3" } });
    expect(c?.SS).to.have.members(["1", "2", "3"]);
  });

  describe("has numbers", () => {
    const digits = "12345678901234567890123456789012345678";

    it("of 38 digits", async () => {
      await put({ a: { N: digits }, b: { N: `-0.${digits}` } });
      const { a, b } = (await table.rawItem(Key)) ?? {};
      expect([a?.N, b?.N]).to.deep.equal([digits, `-0.${digits}`]);
    });

    for (const [name, N] of [
      ["of no more digits", `${digits}9`],
      ["below 1e126", "1e126"],
      ["and no other text in their place", "x"],
    ] as const) {
      it(name, async () => {
        expect(await errorOf(put({ a: { N } }))).to.equal("ValidationException");
      });
    }
  });

  describe("holds a condition for false", () => {
    const failed = "ConditionalCheckFailedException";

    for (const [name, condition] of [
      ["that compares numbers as numbers", "n < :eight"],
      ["that compares strings by their bytes", "s < :text"],
      ["about an attribute that does not exist", "absent = :eight OR absent < :eight"],
      ["about the size of an attribute that does not exist", "size(absent) = :eight OR size(absent) < :eight"],
      ["about a path that does not exist", "m.absent = :eight OR absent.m <> :eight AND n = :eight"],
      ["that compares a number with a string", "n < :text OR n > :text OR s < :eight"],
    ] as const) {
      it(name, async () => {
        const before = { ...Key, n: { N: "10" }, s: { S: "9" }, m: { M: {} } };
        await put(before);
        const values = { ":eight": { N: "8" }, ":text": { S: "10" }, ":c": { S: "x" } };
        const used = Object.entries(values).filter(([key]) => key === ":c" || condition.includes(key));
        expect(await errorOf(update("SET c = :c", Object.fromEntries(used), condition))).to.equal(failed);
        expect(await table.rawItem(Key)).to.deep.equal(before);
      });
    }
  });
});
