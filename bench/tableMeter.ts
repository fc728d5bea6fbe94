import { DescribeTableCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import type { LocalCloud } from "../local/cloud";
import type { Answer, Tables } from "../local/dynamodb/tables";
import { tableClient } from "../local/dynamodb/tableClient";
import { type Index, type Item, readUnits, writeUnits } from "./capacity";

type Ask = Tables["ask"];
type Request = Parameters<Ask>[0];

interface Body {
  TableName?: string;
  Key?: Item;
  Item?: Item;
  ConsistentRead?: boolean;
  RequestItems?: Record<string, { Keys: Item[] }>;
}

export interface Metered {
  answer: Answer;
  table: string;
  read: number;
  write: number;
}

/** Counts the capacity units of requests: dynalite reports them only for reads, and without indexes. */
export class TableMeter {
  private constructor(private readonly tables: Map<string, { keys: string[]; indexes: Index[] }>) {}

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

  /** Sends the request to the table, and returns the response with the consumed units. */
  async ask(ask: Ask, request: Request, operation: string, body: Buffer): Promise<Metered> {
    const parsed = JSON.parse(body.toString()) as Body;
    const table = parsed.TableName ?? Object.keys(parsed.RequestItems ?? {})[0] ?? "";
    switch (operation) {
      case "PutItem":
      case "UpdateItem":
      case "DeleteItem":
        return { table, read: 0, ...(await this.write(ask, request, table, parsed, body)) };
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

  private async write(ask: Ask, request: Request, table: string, parsed: Body, body: Buffer) {
    const { keys, indexes } = this.tables.get(table) ?? { keys: [], indexes: [] };
    const source = parsed.Key ?? parsed.Item ?? {};
    const Key = Object.fromEntries(keys.map((key) => [key, source[key]]));
    const readItem = async () => {
      const asked = JSON.stringify({ TableName: table, Key, ConsistentRead: true });
      const headers = { ...request.headers, "x-amz-target": "DynamoDB_20120810.GetItem" };
      const { body: found } = await ask(
        { ...request, method: request.method, url: request.url, headers },
        Buffer.from(asked),
      );
      return (JSON.parse(found) as { Item?: Item }).Item;
    };
    const before = await readItem();
    const answer = await ask(request, body);
    return { answer, write: writeUnits(before, await readItem(), indexes, keys) };
  }

  private async read(ask: Ask, request: Request, parsed: Body) {
    const metered = JSON.stringify({ ...parsed, ReturnConsumedCapacity: "TOTAL" });
    const answer = await ask(request, Buffer.from(metered));
    const { ConsumedCapacity = [] } = JSON.parse(answer.body) as { ConsumedCapacity?: Consumed | Consumed[] };
    const consumed = [ConsumedCapacity].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
    // On AWS a read without a result is not free, but dynalite counts 0 units.
    const least = parsed.RequestItems || parsed.ConsistentRead ? readUnits(undefined) : readUnits(undefined) / 2;
    return { answer, read: Math.max(least, consumed) };
  }
}

interface Consumed {
  CapacityUnits: number;
}
