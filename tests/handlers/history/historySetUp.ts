import { CreateTableCommand, DescribeTableCommand, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDbHistory } from "../../../handlers/history/dynamoDbHistory";
import { historyItemKey } from "../../../handlers/history/historyItems";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import { Tables } from "../../../local/dynamodb/tables";
import { tableClient } from "../../../local/dynamodb/tableClient";
import { Trace } from "../../../local/trace/trace";

/** The history in a real table within this process, declared as by the component as far as the history goes. */
export async function dynamoDbHistory(retentionMs: number) {
  const tables = await Tables.start({ trace: new Trace() });
  const client = tableClient(tables);
  const attribute = (AttributeName: string, AttributeType: "S" | "N") => ({ AttributeName, AttributeType });
  await client.send(
    new CreateTableCommand({
      TableName: "history",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        ...[attribute("session", "S"), attribute("entry", "S")],
        ...[attribute("due_shard", "S"), attribute("due_at", "N")],
      ],
      KeySchema: [
        { AttributeName: "session", KeyType: "HASH" },
        { AttributeName: "entry", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "due",
          KeySchema: [
            { AttributeName: "due_shard", KeyType: "HASH" },
            { AttributeName: "due_at", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["caller_id", "context"] },
        },
      ],
    }),
  );
  const status = async () => (await client.send(new DescribeTableCommand({ TableName: "history" }))).Table?.TableStatus;
  while ((await status()) !== "ACTIVE");
  const history = new DynamoDbHistory(client, { tableName: "history", retentionMs, dueIndexName: "due" });
  const rawItem = async (key: SessionKey, entry: string) => {
    const command = new GetItemCommand({ TableName: "history", Key: historyItemKey(key, entry) });
    return (await client.send(command)).Item;
  };
  return { history, rawItem, endpoint: tables.endpoint, close: async () => (client.destroy(), await tables.close()) };
}
