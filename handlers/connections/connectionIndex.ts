import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SESSION_ATTRIBUTES as A } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import { queryPages } from "../queryPages";

/** Finds the session of a connection that was opened under 0.1.0, which wrote no lookups. */
export interface ConnectionIndex {
  /** Keys of the connection's rows. The index lags: some may be gone or just changed. */
  find(connectionId: string): Promise<SessionKey[]>;
}

/** An index of the session table. */
export class DynamoDbConnectionIndex implements ConnectionIndex {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly index: { tableName: string; indexName: string },
  ) {}

  async find(connectionId: string): Promise<SessionKey[]> {
    const query = {
      TableName: this.index.tableName,
      IndexName: this.index.indexName,
      KeyConditionExpression: `${A.connectionId} = :id`,
      ExpressionAttributeValues: { ":id": { S: connectionId } },
    };
    const keys: SessionKey[] = [];
    for await (const items of queryPages(this.client, query)) {
      for (const item of items) {
        keys.push({ callerId: item[A.callerId]?.S ?? "", context: item[A.context]?.S ?? "" });
      }
    }
    return keys;
  }
}
