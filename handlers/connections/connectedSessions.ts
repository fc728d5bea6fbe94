import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type Environment, text } from "../environment";
import { queryPages } from "../queryPages";
import { rowOf, SESSION_ATTRIBUTES as A } from "../sessions/sessionItems";
import { contextPrefixOf, type Scope, type SessionKey } from "../sessions/sessionKey";
import { liveConnections } from "../sessions/sessionRow";
import { tableClient } from "../tableClient";

/** The sessions in the session table that have a client. */
export class DynamoDbConnectedSessions {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  /** The scope's sessions with a live connection that has not ended at `nowSeconds`; at most `limit`. Consistent. */
  async list(
    { callerId, context }: Scope,
    nowSeconds: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<SessionKey[]> {
    const found: SessionKey[] = [];
    const query = {
      TableName: this.table.tableName,
      KeyConditionExpression: `${A.callerId} = :user${context === undefined ? "" : ` AND begins_with(${A.context}, :context)`}`,
      ExpressionAttributeValues: {
        ":user": { S: callerId },
        ...(context !== undefined && { ":context": { S: contextPrefixOf(context) } }),
      },
      ConsistentRead: true,
    };
    for await (const items of queryPages(this.client, query, signal)) {
      for (const item of items) {
        // A user's block, for example, is not a session.
        const row = rowOf(item);
        const isConnected = (row ? liveConnections(row) : []).some(
          ({ expirationDate, tokenExpiresAt = Infinity }) => Math.min(expirationDate, tokenExpiresAt) > nowSeconds,
        );
        if (row && isConnected) found.push({ callerId: row.callerId, context: row.context });
        if (found.length === limit) return found;
      }
    }
    return found;
  }
}

/** The sessions in the table `TABLE_NAME`. */
export function connectedSessionsFromEnvironment(environment: Environment): DynamoDbConnectedSessions {
  return new DynamoDbConnectedSessions(tableClient(), { tableName: text(environment, "TABLE_NAME") });
}
