import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { SessionKey } from "../sessions/sessionKey";
import { queryPages } from "../queryPages";
import { isFailedCondition, type Item } from "../tableClient";
import { HISTORY_ATTRIBUTES as A, historyItemKey } from "./historyItems";
import { partitionKeyOf } from "./historyKey";

/** A condition of a write. */
export interface Conditional {
  condition: string;
  values?: Item;
}

/** Calls to the history table, by a session and the sort key of one of its items. */
export class HistoryTableClient {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly tableName: string,
  ) {}

  /** A consistent read. */
  async get(key: SessionKey, entry: string, signal?: AbortSignal): Promise<Item | undefined> {
    const { Item } = await this.client.send(
      new GetItemCommand({ TableName: this.tableName, Key: historyItemKey(key, entry), ConsistentRead: true }),
      { abortSignal: signal },
    );
    return Item;
  }

  /** Puts the item; false if the condition fails. */
  async put(Item: Item, conditional: Conditional, signal?: AbortSignal): Promise<boolean> {
    return await holds(
      this.client.send(new PutItemCommand({ Item, ...this.writeIf(conditional) }), { abortSignal: signal }),
    );
  }

  /** Updates the item; false if the condition fails. */
  async update(
    key: SessionKey,
    entry: string,
    expression: string,
    conditional: Conditional,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const Key = historyItemKey(key, entry);
    const command = new UpdateItemCommand({ Key, UpdateExpression: expression, ...this.writeIf(conditional) });
    return await holds(this.client.send(command, { abortSignal: signal }));
  }

  /** Updates the item and returns all of it; undefined if the condition fails. */
  async updated(
    key: SessionKey,
    entry: string,
    expression: string,
    conditional: Conditional,
    signal?: AbortSignal,
  ): Promise<Item | undefined> {
    const Key = historyItemKey(key, entry);
    const written = { UpdateExpression: expression, ReturnValues: "ALL_NEW" as const, ...this.writeIf(conditional) };
    const command = new UpdateItemCommand({ Key, ...written });
    try {
      return (await this.client.send(command, { abortSignal: signal })).Attributes ?? {};
    } catch (error) {
      if (isFailedCondition(error)) return undefined;
      throw error;
    }
  }

  async delete(key: SessionKey, entry: string, signal?: AbortSignal): Promise<void> {
    const command = new DeleteItemCommand({ TableName: this.tableName, Key: historyItemKey(key, entry) });
    await this.client.send(command, { abortSignal: signal });
  }

  /** One page of the session's items from one sort key through another, in either direction; consistent. */
  async query(
    key: SessionKey,
    [first, last]: readonly [first: string, last: string],
    options: { Limit: number; ScanIndexForward: boolean },
    signal?: AbortSignal,
  ): Promise<Item[]> {
    const command = new QueryCommand({
      TableName: this.tableName,
      KeyConditionExpression: `#session = :session AND ${A.entry} BETWEEN :first AND :last`,
      // SESSION is a reserved word.
      // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
      ExpressionAttributeNames: { "#session": A.session },
      ExpressionAttributeValues: {
        ":session": { S: partitionKeyOf(key) },
        ":first": { S: first },
        ":last": { S: last },
      },
      ConsistentRead: true,
      ...options,
    });
    const { Items = [] } = await this.client.send(command, { abortSignal: signal });
    return Items;
  }

  /** The items due at `nowMs`, the most overdue first, page by page. */
  queryDue(indexName: string, shard: string, nowMs: number, signal?: AbortSignal): AsyncGenerator<Item[]> {
    const query = {
      TableName: this.tableName,
      IndexName: indexName,
      KeyConditionExpression: `${A.dueShard} = :shard AND ${A.dueAt} <= :now`,
      ExpressionAttributeValues: { ":shard": { S: shard }, ":now": { N: String(nowMs) } },
    };
    return queryPages(this.client, query, signal);
  }

  private writeIf({ condition, values }: Conditional) {
    return { TableName: this.tableName, ConditionExpression: condition, ExpressionAttributeValues: values };
  }
}

async function holds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isFailedCondition(error)) return false;
    throw error;
  }
}
