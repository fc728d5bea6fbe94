import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { credentials, region } from "../../../local/account";
import type { Properties } from "../../../local/provision/resource";
import { tableResources } from "../../../local/provision/table";
import { Tables } from "../../../local/dynamodb/tables";
import { Trace } from "../../../local/trace/trace";
import { afterTest } from "../../support/afterTest";
import { resourceOf } from "../provision/resourceOf";

export const sessionTable = {
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

export const item = { caller_id: { S: "user#1" }, context: { S: "chat#7" }, connection_id: { S: "c1" } };
export const key = { caller_id: item.caller_id, context: item.context };

export async function startTable() {
  const trace = new Trace();
  const labels: string[] = [];
  trace.subscribe(({ from, to, label }) => labels.push(`${from} -> ${to}: ${label}`));
  const { tables, dynamodb, table } = await startTables({ trace });
  const create = (inputs: Properties = sessionTable) => table.create({ name: "relay-table", inputs });
  const change = (id: string, inputs: Properties, olds: Properties = sessionTable) =>
    table.update(id, { name: "relay-table", inputs }, olds);
  return { tables, dynamodb, labels, table, create, change };
}

/** DynamoDB with a client and the resource that creates tables, until the test ends. */
export async function startTables(
  options: Partial<Parameters<typeof Tables.start>[0]> = {},
  client: DynamoDBClientConfig = {},
) {
  const tables = await Tables.start({ trace: new Trace(), ...options });
  const { endpoint } = tables;
  const dynamodb = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 1, ...client });
  afterTest(
    () => tables.close(),
    () => dynamodb.destroy(),
  );
  return { tables, dynamodb, table: resourceOf(tableResources(tables), "aws:dynamodb/table:Table") };
}
