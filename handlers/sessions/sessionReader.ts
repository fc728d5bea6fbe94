import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Environment, text } from "../environment";
import { type Item, tableClient } from "../tableClient";
import { batchGet, waitMs } from "./batchGet";
import { keyOf, rowOf, type SessionRow } from "./sessionItems";
import { sessionId, type SessionKey } from "./sessionKey";
import { DynamoDbSessionRows } from "./sessionRows";

/** Sessions' rows in the session table, many at a time. */
export class DynamoDbSessionReader extends DynamoDbSessionRows {
  constructor(
    client: DynamoDBClient,
    table: { tableName: string },
    private readonly wait: (ms: number) => Promise<void> = waitMs,
  ) {
    super(client, table);
  }

  /** See `SessionStore`. */
  async readAll(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Map<string, SessionRow>> {
    const distinct = [...new Map(keys.map((key) => [sessionId(key), key])).values()];
    const items = await this.batchGet(distinct, signal);
    const rows = items.flatMap((item) => rowOf(item) ?? []);
    return new Map(rows.map((row) => [sessionId(row), row]));
  }

  protected async batchGet(keys: readonly SessionKey[], signal?: AbortSignal): Promise<Item[]> {
    const { client, wait } = this;
    return await batchGet(keys.map(keyOf), { client, wait, tableName: this.table.tableName }, signal);
  }
}

/** The sessions in the table `TABLE_NAME`. */
export function sessionReaderFromEnvironment(environment: Environment): DynamoDbSessionReader {
  return new DynamoDbSessionReader(tableClient(), { tableName: text(environment, "TABLE_NAME") });
}
