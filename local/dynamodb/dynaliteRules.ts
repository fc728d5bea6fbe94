import db = require("dynalite/db");
import type { DynaliteItem, DynaliteTable } from "dynalite/db";

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const maxKeyBytes = { HASH: 2_048, RANGE: 1_024 };
const maxItemBytes = 409_600;

/** What dynalite does, but for DescribeTimeToLive: its answer is the same whatever a table's expiry. */
const operations = [
  "PutItem",
  "GetItem",
  "UpdateItem",
  "DeleteItem",
  "BatchGetItem",
  "BatchWriteItem",
  "Query",
  "Scan",
  "CreateTable",
  "UpdateTable",
  "DeleteTable",
  "DescribeTable",
  "ListTables",
  "TagResource",
  "UntagResource",
  "ListTagsOfResource",
];

/** The parameters that dynalite knows of an operation; undefined where it does not know the operation. */
export function dynaliteParameters(operation: string): readonly string[] | undefined {
  return parameters.get(operation);
}

const parameters = new Map(
  operations.map((operation) => {
    const file = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}`;
    const { types } = require(`dynalite/validations/${file}`) as { types: object };
    return [operation, Object.keys(types)];
  }),
);

let areTightened = false;

/**
 * Has dynalite refuse what DynamoDB does and it does not: index keys that are empty or too long, also where an update
 * comes to them by evaluating an expression, and sizes above the limits in bytes of UTF-8, where dynalite counts
 * characters. In dynalite's own place for it, since only there an item is known as it will be stored.
 */
export function tightenDynalite(): void {
  if (areTightened) return;
  areTightened = true;

  const { validateKey, validateItem, updateIndexes } = db;
  db.validateKey = (key, table, ...schema) =>
    validateKey(key, table, ...schema) ?? refusal(tableKeyProblem(key, table));
  db.validateItem = (item, table) => validateItem(item, table) ?? refusal(itemProblem(item, table, "Item size"));
  db.updateIndexes = (store, table, before, item, done) => {
    const problem = item ? itemProblem(item, table, "Item size to update") : undefined;
    if (problem === undefined) updateIndexes(store, table, before, item, done);
    else done(db.validationError(problem));
  };
}

function refusal(problem: string | undefined): Error | undefined {
  return problem === undefined ? undefined : db.validationError(problem);
}

function itemProblem(item: DynaliteItem, table: DynaliteTable, subject: string): string | undefined {
  return tableKeyProblem(item, table) ?? indexKeyProblem(item, table) ?? sizeProblem(item, subject);
}

function tableKeyProblem(key: DynaliteItem, { KeySchema }: DynaliteTable): string | undefined {
  const tooLong = KeySchema.find(({ AttributeName, KeyType }) => bytesOf(key[AttributeName]) > maxKeyBytes[KeyType]);
  return tooLong && tooLongProblem(tooLong);
}

function indexKeyProblem(item: DynaliteItem, { GlobalSecondaryIndexes = [] }: DynaliteTable): string | undefined {
  for (const { IndexName, KeySchema } of GlobalSecondaryIndexes) {
    for (const element of KeySchema) {
      const value = item[element.AttributeName];
      const where = `IndexName: ${IndexName}, IndexKey: ${element.AttributeName}`;
      const kind = value?.S === "" ? "string" : value?.B === "" ? "binary" : undefined;
      if (kind) {
        return (
          "One or more parameter values are not valid. A value specified for a secondary index key is not supported. " +
          `The AttributeValue for a key attribute cannot contain an empty ${kind} value. ${where}`
        );
      }
      if (bytesOf(value) > maxKeyBytes[element.KeyType]) return `${tooLongProblem(element)} ${where}`;
    }
  }
  return undefined;
}

function tooLongProblem({ KeyType }: DynaliteTable["KeySchema"][number]): string {
  const problem =
    KeyType === "HASH"
      ? "Size of hashkey has exceeded the maximum size limit of2048 bytes"
      : "Aggregated size of all range keys has exceeded the size limit of 1024 bytes";
  return `One or more parameter values were invalid: ${problem}`;
}

function bytesOf(value: DynaliteItem[string] | undefined): number {
  return Buffer.byteLength(value?.S ?? "") + Buffer.byteLength(value?.B ?? "", "base64");
}

function sizeProblem(item: DynaliteItem, subject: string): string | undefined {
  const json = JSON.stringify(item);
  const jsonBytes = Buffer.byteLength(json);
  // As JSON an item is larger. What its texts have more in bytes than in characters, dynalite leaves out.
  if (jsonBytes <= maxItemBytes || db.itemSize(item) + jsonBytes - json.length <= maxItemBytes) return undefined;
  return `${subject} has exceeded the maximum allowed size`;
}
