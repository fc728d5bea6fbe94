import { BatchGetItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Item } from "../tableClient";

/** The session table. */
export interface BatchGetDependencies {
  client: DynamoDBClient;
  tableName: string;
  wait: (ms: number) => Promise<void>;
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const MAX_KEYS = 100;
const MAX_TRIES = 4;
const FIRST_WAIT_MS = 50;

/** The items that exist, by consistent reads. @throws if the table does not return all. */
export async function batchGet(
  keys: readonly Item[],
  dependencies: BatchGetDependencies,
  signal?: AbortSignal,
): Promise<Item[]> {
  const chunks: Item[][] = [];
  for (let i = 0; i < keys.length; i += MAX_KEYS) chunks.push(keys.slice(i, i + MAX_KEYS));
  return (await Promise.all(chunks.map((chunk) => getChunk(chunk, dependencies, signal)))).flat();
}

async function getChunk(
  chunk: Item[],
  { client, tableName, wait }: BatchGetDependencies,
  signal?: AbortSignal,
): Promise<Item[]> {
  const items: Item[] = [];
  let keys = chunk;
  for (let tries = 1; ; tries++) {
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: keys, ConsistentRead: true } } }),
      { abortSignal: signal },
    );
    items.push(...(Responses?.[tableName] ?? []));
    keys = UnprocessedKeys?.[tableName]?.Keys ?? [];
    if (keys.length === 0) return items;
    if (tries === MAX_TRIES) throw new Error(`the table did not return ${keys.length} items`);
    await wait(FIRST_WAIT_MS * 2 ** (tries - 1));
  }
}

export const waitMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
