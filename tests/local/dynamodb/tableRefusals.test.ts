import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DescribeTimeToLiveCommand,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { startTables } from "./tableSetUp";

const TableName = "items";

/** A table with an index by `g` and `n`, and one by the binary `b`. */
async function start() {
  const { tables, dynamodb, table } = await startTables();
  const inputs = {
    name: TableName,
    attributes: ["p", "s", "g", "h", "b"].map((name) => ({ name, type: name === "b" ? "B" : "S" })),
    hashKey: "p",
    rangeKey: "s",
    billingMode: "PAY_PER_REQUEST",
    globalSecondaryIndexes: [
      { name: "by-g", hashKey: "g", rangeKey: "h", projectionType: "ALL" },
      { name: "by-b", hashKey: "b", projectionType: "KEYS_ONLY" },
    ],
  };
  await table.create({ name: "items", inputs });
  return {
    tables,
    dynamodb,
    create: (more: Properties) => table.create({ name: "other", inputs: { ...inputs, ...more } }),
  };
}

type Item = Record<string, AttributeValue>;
const Key: Item = { p: { S: "p" }, s: { S: "s" } };
const put = (item: Item) => new PutItemCommand({ TableName, Item: { ...Key, ...item } });
const write = (item: Item) =>
  new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: { ...Key, ...item } } }] } });
const update = (UpdateExpression: string, value: AttributeValue) =>
  new UpdateItemCommand({ TableName, Key, UpdateExpression, ExpressionAttributeValues: { ":v": value } });
const query = (KeyConditionExpression: string, value: AttributeValue, IndexName?: string) =>
  new QueryCommand({ TableName, IndexName, KeyConditionExpression, ExpressionAttributeValues: { ":v": value } });
const nested = (levels: number): AttributeValue =>
  Array.from({ length: levels }).reduce<AttributeValue>((inner) => ({ L: [inner] }), { S: "x" });
const keys = (count: number): Item[] => Array.from({ length: count }, (_, n) => ({ p: { S: "p" }, s: { S: `${n}` } }));
const number = (N: string) => put({ x: { N } });

type Command =
  | BatchGetItemCommand
  | BatchWriteItemCommand
  | DescribeTimeToLiveCommand
  | ExecuteStatementCommand
  | GetItemCommand
  | PutItemCommand
  | QueryCommand
  | ScanCommand
  | TransactWriteItemsCommand
  | UpdateItemCommand
  | UpdateTimeToLiveCommand;

describe("a table refuses", () => {
  const emptyKey = /cannot contain an empty string value/;
  const refusals: [claim: string, command: Command, message: RegExp][] = [
    // What dynalite itself lets through.
    ["an empty index key in a put", put({ g: { S: "" } }), /empty string value.*IndexName: by-g, IndexKey: g/],
    ["an empty sort key of an index", put({ h: { S: "" } }), /empty string value.*IndexKey: h/],
    ["an empty index key in a batch", write({ g: { S: "" } }), emptyKey],
    ["an empty index key in an update", update("SET g = :v", { S: "" }), emptyKey],
    ["an empty index key that an update evaluates", update("SET g = if_not_exists(x, :v)", { S: "" }), emptyKey],
    ["an empty binary index key", put({ b: { B: new Uint8Array() } }), /empty binary value.*IndexName: by-b/],
    ["an index's partition key of 2,049 bytes", put({ g: { S: "x".repeat(2_049) } }), /hashkey.*2048.*IndexKey: g/],
    ["an index's sort key of 1,025 bytes", put({ h: { S: "x".repeat(1_025) } }), /range keys.*1024.*IndexKey: h/],
    ["a partition key of 2,050 bytes of UTF-8", put({ p: { S: "é".repeat(1_025) } }), /hashkey.*2048/],
    ["a sort key of 1,026 bytes of UTF-8", put({ s: { S: "é".repeat(513) } }), /range keys.*1024/],
    ["such a key in a read", new GetItemCommand({ TableName, Key: { ...Key, s: { S: "é".repeat(513) } } }), /1024/],
    ["an item of more than 400 KB of UTF-8", put({ x: { S: "é".repeat(204_800) } }), /Item size has exceeded/],
    [
      "an update to more than that",
      update("SET x = :v", { S: "é".repeat(204_800) }),
      /Item size to update has exceeded/,
    ],
    ["a query for an empty key", query("p = :v", { S: "" }), emptyKey],
    ["a query of an index for an empty key", query("g = :v", { S: "" }, "by-g"), emptyKey],
    [
      "a consistent scan of an index",
      new ScanCommand({ TableName, IndexName: "by-g", ConsistentRead: true }),
      /Consistent reads are not supported on global secondary indexes/,
    ],
    ["an expression of more than 4 KB", update(`SET ${"x".repeat(4_100)} = :v`, { S: "" }), /Expression size.*4096/],
    ["a value nested deeper than 32 levels", put({ x: nested(33) }), /Nesting Levels/],
    [
      "a condition's old item, which is not modelled",
      new PutItemCommand({ TableName, Item: Key, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
      /ReturnValuesOnConditionCheckFailure is not modelled in the local run; got "ALL_OLD"/,
    ],
    // What dynalite refuses: a test fails where a later version does not.
    ["an empty partition key", put({ p: { S: "" } }), emptyKey],
    ["an empty sort key", put({ s: { S: "" } }), emptyKey],
    ["an index key of another type", put({ g: { N: "1" } }), /Type mismatch for Index Key g/],
    ["a key of another type", put({ p: { N: "1" } }), /Type mismatch for key p/],
    ["an update of a key", update("SET p = :v", { S: "x" }), /part of the key/],
    ["a partition key of 2,049 bytes", put({ p: { S: "x".repeat(2_049) } }), /hashkey/],
    ["an item of more than 400 KB", put({ x: { S: "x".repeat(409_600) } }), /Item size/],
    ["a number of 39 digits", number("1".repeat(39)), /38 significant digits/],
    ["a number above 10^126", number("1e126"), /Number overflow/],
    ["an empty set", put({ x: { SS: [] } }), /may not be empty/],
    ["a set with a value twice", put({ x: { SS: ["a", "a"] } }), /contains duplicates/],
    ["a reserved word in an expression", update("SET ttl = :v", { N: "1" }), /reserved keyword: ttl/],
    ["a value that no expression uses", update("REMOVE x", { N: "1" }), /unused in expressions/],
    [
      "a name that no expression uses",
      new GetItemCommand({ TableName, Key, ProjectionExpression: "x", ExpressionAttributeNames: { "#y": "y" } }),
      /ExpressionAttributeNames unused/,
    ],
    [
      "a consistent query of an index",
      new QueryCommand({ ...query("g = :v", { S: "x" }, "by-g").input, ConsistentRead: true }),
      /Consistent reads are not supported/,
    ],
    [
      "one key twice in a batch of reads",
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Key, Key] } } }),
      /duplicates/,
    ],
    [
      "a batch of 101 reads",
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: keys(101) } } }),
      /equal to 100/,
    ],
    [
      "a batch of 26 writes",
      new BatchWriteItemCommand({ RequestItems: { [TableName]: keys(26).map((Item) => ({ PutRequest: { Item } })) } }),
      /equal to 25/,
    ],
    [
      "one key twice in a batch of writes",
      new BatchWriteItemCommand({
        RequestItems: { [TableName]: [{ PutRequest: { Item: Key } }, { DeleteRequest: { Key } }] },
      }),
      /duplicates/,
    ],
  ];
  for (const [claim, command, message] of refusals) {
    it(claim, async () => {
      const { dynamodb } = await start();
      const error = await refusal(dynamodb.send(command as PutItemCommand));
      expect(error.name).to.equal("ValidationException");
      expect(error.message).to.match(message);
      expect((await dynamodb.send(new ScanCommand({ TableName }))).Count).to.equal(0);
    });
  }

  const operations: [name: string, command: Command][] = [
    ["TransactWriteItems", new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: Key } }] })],
    ["ExecuteStatement", new ExecuteStatementCommand({ Statement: "SELECT * FROM items" })],
    [
      "UpdateTimeToLive",
      new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true } }),
    ],
    ["DescribeTimeToLive", new DescribeTimeToLiveCommand({ TableName })],
  ];
  for (const [name, command] of operations) {
    it(`${name}, by its name`, async () => {
      const { dynamodb } = await start();
      const error = await refusal(dynamodb.send(command as PutItemCommand));
      expect(error.name).to.equal("UnknownOperationException");
      expect(error.message).to.equal(`${name} is not modelled in the local run`);
    });
  }

  const inputs: [claim: string, inputs: Properties, message: RegExp][] = [
    ["a name of two characters", { name: "ab" }, /at least 3 characters long and at most 255/],
    ["a name of 256 characters", { name: "t".repeat(256) }, /at most 255 characters/],
    ["a name with a space", { name: "my table" }, /\[a-zA-Z0-9_.-\]\+/],
    ["36 days of recovery", { pointInTimeRecovery: { enabled: true, recoveryPeriodInDays: 36 } }, /1 to 35; got 36/],
    ["an attribute's name of 256 characters", { ttl: { attributeName: "t".repeat(256) } }, /1 to 255 characters/],
    ["an attribute without a name", { attributes: [{ name: "", type: "S" }] }, /1 to 255 characters; got ""/],
  ];
  for (const [claim, given, message] of inputs) {
    it(`to be made with ${claim}`, async () => {
      const { create } = await start();
      expect((await refusal(Promise.resolve(create({ name: "other", ...given })))).message).to.match(message);
    });
  }
});

describe("a table takes", () => {
  const taken: [claim: string, command: Command][] = [
    ["an empty text that is no key", put({ x: { S: "" } })],
    ["an item without its index keys", put({})],
    [
      "keys of the longest",
      put({ p: { S: "é".repeat(1_024) }, s: { S: "é".repeat(512) }, g: { S: "x".repeat(2_048) } }),
    ],
    // Names count, too: p, s and x, and the values of p and s.
    ["an item of 400 KB", put({ x: { S: `${"é".repeat(204_797)}x` } })],
    ["a value nested 32 levels deep", put({ x: nested(32) })],
    [
      "a condition that asks for no old item",
      new PutItemCommand({ ...put({}).input, ReturnValuesOnConditionCheckFailure: "NONE" }),
    ],
    ["a consistent scan", new ScanCommand({ TableName, ConsistentRead: true })],
  ];
  for (const [claim, command] of taken) {
    it(claim, async () => {
      const { dynamodb } = await start();
      await dynamodb.send(command as PutItemCommand);
    });
  }
});
