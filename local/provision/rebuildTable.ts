import {
  type AttributeValue,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";

type Item = Record<string, AttributeValue>;

/**
 * Rebuilds a table with all of its items when its indexes change, since dynalite adds no index to an existing table. No other
 * request may be answered meanwhile. A refused index leaves the table as it was. So does an item that does not fit the
 * index, which AWS would only leave out of it.
 */
export async function rebuildTable(
  client: DynamoDBClient,
  before: CreateTableCommandInput,
  after: CreateTableCommandInput,
): Promise<void> {
  const items = await allItems(client, before.TableName);
  await deleteTable(client, before.TableName);
  try {
    await createTable(client, after);
    await putItems(client, after.TableName, items);
  } catch (error) {
    await deleteTable(client, before.TableName);
    await createTable(client, before);
    await putItems(client, before.TableName, items);
    throw error;
  }
}

/** Resolves when the table can be used. */
export async function createTable(client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> {
  await client.send(new CreateTableCommand(input));
  await until(client, input.TableName, (status) => status === "ACTIVE");
}

/** Resolves when the table is gone, as it may have been before. */
export async function deleteTable(client: DynamoDBClient, name: string | undefined): Promise<void> {
  if ((await status(client, name)) === undefined) return;
  await client.send(new DeleteTableCommand({ TableName: name }));
  await until(client, name, (status) => status === undefined);
}

/** Asks until the table's status is what it is to be. The SDK's own waiters wait at least 20 seconds. */
export async function until(
  client: DynamoDBClient,
  name: string | undefined,
  isReached: (status: string | undefined) => boolean,
): Promise<void> {
  while (!isReached(await status(client, name)));
}

async function status(client: DynamoDBClient, name: string | undefined): Promise<string | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function allItems(client: DynamoDBClient, name: string | undefined): Promise<Item[]> {
  const items: Item[] = [];
  let start: Item | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: name, ExclusiveStartKey: start }));
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start);
  return items;
}

async function putItems(client: DynamoDBClient, name = "", items: Item[]): Promise<void> {
  const atOnce = 25;
  for (let first = 0; first < items.length; first += atOnce) {
    const puts = items.slice(first, first + atOnce).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: puts } }));
  }
}
