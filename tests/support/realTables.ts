import { randomUUID } from "node:crypto";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDbHistory } from "../../handlers/history/dynamoDbHistory";
import { historyItemKey } from "../../handlers/history/historyItems";
import type { SessionKey } from "../../handlers/sessions/sessionKey";
import type { Item } from "../../handlers/tableClient";
import { credentials, region } from "../../local/account";
import { tableClient } from "../../local/dynamodb/tableClient";
import { Tables } from "../../local/dynamodb/tables";
import { createTable, deleteTable } from "../../local/provision/rebuildTable";
import { Trace } from "../../local/trace/trace";
import { HISTORY_TABLE, type TableDeclaration } from "./tableDeclarations";
import { expectUnmodelled } from "./unmodelled";

/*
 * Tables with the keys and indexes that the component declares, for tests of what is stored in them. The engine is dynalite,
 * within this process; if TABLE_ENGINE names another one, it is that one, at TABLE_ENGINE_ENDPOINT. tests/tablesOnMoto.py runs
 * every test file that imports this one on moto.
 */
const { TABLE_ENGINE: engine = "dynalite", TABLE_ENGINE_ENDPOINT: givenEndpoint } = process.env;
expectUnmodelled(engine);

export interface RealTable {
  client: DynamoDBClient;
  /** Where other clients connect. */
  endpoint: string;
  tableName: string;
  /** An item as the table has it, by a consistent read. */
  rawItem(key: Item): Promise<Item | undefined>;
  close(): Promise<void>;
}

/** A new table. Its owner closes it. */
export async function realTable(declaration: TableDeclaration): Promise<RealTable> {
  const { client, endpoint, stop } = await connect();
  const tableName = `table-${randomUUID()}`;
  await createTable(client, { TableName: tableName, ...declaration });
  return {
    client,
    endpoint,
    tableName,
    rawItem: async (Key) => {
      const command = new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true });
      return (await client.send(command)).Item;
    },
    close: async () => {
      await deleteTable(client, tableName);
      await stop();
    },
  };
}

/** The history in a new table. */
export async function dynamoDbHistory(retentionMs: number) {
  const { client, tableName, rawItem, ...table } = await realTable(HISTORY_TABLE);
  return {
    ...table,
    tableName,
    history: new DynamoDbHistory(client, { tableName, retentionMs, dueIndexName: "due" }),
    rawItem: (key: SessionKey, entry: string) => rawItem(historyItemKey(key, entry)),
  };
}

async function connect(): Promise<{ client: DynamoDBClient; endpoint: string; stop: () => Promise<void> }> {
  if (engine !== "dynalite") {
    if (givenEndpoint === undefined) throw new Error(`TABLE_ENGINE_ENDPOINT is not set; TABLE_ENGINE is ${engine}`);
    const client = new DynamoDBClient({ endpoint: givenEndpoint, region, credentials, maxAttempts: 1 });
    return { client, endpoint: givenEndpoint, stop: () => Promise.resolve(client.destroy()) };
  }
  const tables = await Tables.start({ trace: new Trace() });
  const client = tableClient(tables);
  return { client, endpoint: tables.endpoint, stop: async () => (client.destroy(), await tables.close()) };
}
