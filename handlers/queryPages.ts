import {
  type AttributeValue,
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { Item } from "./tableClient";

/** The items of a query, page by page. */
export async function* queryPages(
  client: DynamoDBClient,
  query: QueryCommandInput,
  signal?: AbortSignal,
): AsyncGenerator<Item[]> {
  let start: Record<string, AttributeValue> | undefined;
  do {
    const command = new QueryCommand({ ...query, ExclusiveStartKey: start });
    const page = await client.send(command, { abortSignal: signal });
    yield page.Items ?? [];
    start = page.LastEvaluatedKey;
  } while (start);
}
