import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SESSION_ATTRIBUTES } from "../sessions/sessionItems";
import { CONNECTION_ATTRIBUTES, connectionIdOf } from "./connectionItems";
import { queryPages } from "../queryPages";

/** Connections by the end of their tokens. */
export interface TokenExpiryIndex {
  /** Connections of a shard whose token ends at `epochSeconds` or before, page by page. The index lags. */
  findExpired(shard: string, epochSeconds: number, signal?: AbortSignal): AsyncIterable<string[]>;
}

const A = { ...SESSION_ATTRIBUTES, ...CONNECTION_ATTRIBUTES };

/** An index of the session table, which has the lookups of connections. */
export class DynamoDbTokenExpiryIndex implements TokenExpiryIndex {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly index: { tableName: string; indexName: string },
  ) {}

  async *findExpired(shard: string, epochSeconds: number, signal?: AbortSignal): AsyncGenerator<string[]> {
    const query = {
      TableName: this.index.tableName,
      IndexName: this.index.indexName,
      KeyConditionExpression: `${A.expiryShard} = :shard AND ${A.tokenExpiresAt} <= :now`,
      ExpressionAttributeValues: { ":shard": { S: shard }, ":now": { N: String(epochSeconds) } },
    };
    for await (const items of queryPages(this.client, query, signal)) {
      yield items.flatMap((item) => connectionIdOf(item[A.callerId]?.S ?? "") ?? []);
    }
  }
}
