import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { credentials, region } from "../../../local/account";
import type { Properties } from "../../../local/provision/resource";
import { tableResources } from "../../../local/provision/table";
import { Tables } from "../../../local/dynamodb/table";
import { Trace } from "../../../local/trace/trace";
import { afterTest } from "../../support/afterTest";

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
  const tables = await Tables.start({ trace });
  const dynamodb = new DynamoDBClient({ endpoint: tables.endpoint, region, credentials, maxAttempts: 1 });
  afterTest(
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
