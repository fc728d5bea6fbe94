import { DescribeTableCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import type { LocalCloud } from "../local/cloud";
import type { Answer, Tables } from "../local/dynamodb/tables";
import { tableClient } from "../local/dynamodb/tableClient";
import { type Index, type Item, readUnits, writeUnits } from "./capacity";

type Ask = Tables["ask"];
type Request = Parameters<Ask>[0];

interface Body {
  TableName?: string;
  IndexName?: string;
  Key?: Item;
  Item?: Item;
  ConsistentRead?: boolean;
  RequestItems?: Record<string, { Keys: Item[] } | WriteRequest[]>;
}

/** A member of a BatchWriteItem. */
interface WriteRequest {
  PutRequest?: { Item: Item };
  DeleteRequest?: { Key: Item };
}

export interface Metered {
  answer: Answer;
  table: string;
  read: number;
  write: number;
  /** Whether a query of an index found nothing, which does not depend on the number of messages. */
  empty?: boolean;
}

/** The keys of a table, and its global indexes. */
export interface TableShape {
  keys: string[];
  indexes: Index[];
}

/**
 * Counts the capacity units of requests: dynalite reports them only for reads, and without indexes. What TTL deletes is free
 * on AWS, and is no request here either.
 */
export class TableMeter {
  private constructor(private readonly tables: Map<string, TableShape>) {}

  static async of(cloud: LocalCloud): Promise<TableMeter> {
    const client = tableClient(cloud.tables);
    const { TableNames = [] } = await client.send(new ListTablesCommand());
    const tables = await Promise.all(
      TableNames.map(async (TableName) => {
        const { Table } = await client.send(new DescribeTableCommand({ TableName }));
        const keys = (Table?.KeySchema ?? []).map(({ AttributeName }) => String(AttributeName));
        const indexes = (Table?.GlobalSecondaryIndexes ?? []).map(({ KeySchema = [], Projection }): Index => ({
          keys: KeySchema.map(({ AttributeName }) => String(AttributeName)),
          projected: Projection?.ProjectionType === "ALL" ? "all" : (Projection?.NonKeyAttributes ?? []),
        }));
        return [TableName, { keys, indexes }] as const;
      }),
    );
    return new TableMeter(new Map(tables));
  }

  /** For tables of this shape. */
  static with(tables: Record<string, TableShape>): TableMeter {
    return new TableMeter(new Map(Object.entries(tables)));
  }

  /** Sends the request to the table, and returns the response with the consumed units. */
  async ask(ask: Ask, request: Request, operation: string, body: Buffer): Promise<Metered> {
    const parsed = JSON.parse(body.toString()) as Body;
    const table = parsed.TableName ?? Object.keys(parsed.RequestItems ?? {})[0] ?? "";
    switch (operation) {
      case "PutItem":
      case "UpdateItem":
      case "DeleteItem":
        return {
          table,
          read: 0,
          ...(await this.write(ask, request, [[table, parsed.Key ?? parsed.Item ?? {}]], body)),
        };
      case "BatchWriteItem":
        return { table, read: 0, ...(await this.write(ask, request, batchOf(parsed), body)) };
      case "GetItem":
      case "Query":
      case "BatchGetItem":
        return { table, write: 0, ...(await this.read(ask, request, parsed)) };
      default:
        throw new Error(
          `unexpected request: ${operation}; allowed: reads and writes of items. Fix: extend TableMeter.ask`,
        );
    }
  }

  /** @param written The written items, or their keys, with their tables. */
  private async write(ask: Ask, request: Request, written: [table: string, keyed: Item][], body: Buffer) {
    const read = ([table, keyed]: [string, Item]) => this.readItem(ask, request, table, keyed);
    const before = await Promise.all(written.map(read));
    const answer = await ask(request, body);
    const after = await Promise.all(written.map(read));
    const write = written.reduce((sum, [table], index) => {
      const { keys, indexes } = this.tables.get(table) ?? { keys: [], indexes: [] };
      return sum + writeUnits(before[index], after[index], indexes, keys);
    }, 0);
    return { answer, write };
  }

  private async readItem(ask: Ask, request: Request, table: string, keyed: Item): Promise<Item | undefined> {
    const { keys } = this.tables.get(table) ?? { keys: [] };
    const Key = Object.fromEntries(keys.map((key) => [key, keyed[key]]));
    const asked = JSON.stringify({ TableName: table, Key, ConsistentRead: true });
    const headers = { ...request.headers, "x-amz-target": "DynamoDB_20120810.GetItem" };
    const { body: found } = await ask(
      { ...request, method: request.method, url: request.url, headers },
      Buffer.from(asked),
    );
    return (JSON.parse(found) as { Item?: Item }).Item;
  }

  private async read(ask: Ask, request: Request, parsed: Body) {
    const metered = JSON.stringify({ ...parsed, ReturnConsumedCapacity: "TOTAL" });
    const answer = await ask(request, Buffer.from(metered));
    const { ConsumedCapacity = [], Count } = JSON.parse(answer.body) as {
      ConsumedCapacity?: Consumed | Consumed[];
      Count?: number;
    };
    const consumed = [ConsumedCapacity].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
    // On AWS a read without a result is not free, but dynalite counts 0 units.
    const least = parsed.RequestItems || parsed.ConsistentRead ? readUnits(undefined) : readUnits(undefined) / 2;
    const empty = parsed.IndexName !== undefined && Count === 0;
    return { answer, read: Math.max(least, consumed), ...(empty && { empty }) };
  }
}

function batchOf({ RequestItems = {} }: Body): [string, Item][] {
  return Object.entries(RequestItems).flatMap(([table, requests]) =>
    (requests as WriteRequest[]).map(({ PutRequest, DeleteRequest }): [string, Item] => [
      table,
      PutRequest?.Item ?? DeleteRequest?.Key ?? {},
    ]),
  );
}

interface Consumed {
  CapacityUnits: number;
}
