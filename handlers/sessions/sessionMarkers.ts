import { type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { queryPages } from "../queryPages";
import { markedSession, markedUntilOf, markerAttributes, markerItemKey } from "./markerItems";
import { keyOf, SESSION_ATTRIBUTES as A } from "./sessionItems";
import { contextPrefixOf, type Scope, type SessionKey } from "./sessionKey";

/** Which sessions a user has connected to: a message for all of them is stored in the history of each. */
export interface SessionMarkers {
  /** The session counts as connected until then, in epoch seconds. `SessionStore.readForConnect` reads it. */
  mark(key: SessionKey, until: number, signal?: AbortSignal): Promise<void>;
  /** The scope's sessions that count as connected at `nowSeconds`; at most `limit`. Consistent. */
  list(scope: Scope, nowSeconds: number, limit: number, signal?: AbortSignal): Promise<SessionKey[]>;
}

/** Markers in the session table. */
export class DynamoDbSessionMarkers implements SessionMarkers {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async mark(key: SessionKey, until: number, signal?: AbortSignal): Promise<void> {
    const Item = { ...keyOf(markerItemKey(key)), ...markerAttributes(until) };
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item }), { abortSignal: signal });
  }

  async list(
    { callerId, context }: Scope,
    nowSeconds: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<SessionKey[]> {
    const query = {
      TableName: this.table.tableName,
      KeyConditionExpression: `${A.callerId} = :user${context === undefined ? "" : ` AND begins_with(${A.context}, :context)`}`,
      ExpressionAttributeValues: {
        ":user": { S: markerItemKey({ callerId, context: "" }).callerId },
        ...(context !== undefined && { ":context": { S: contextPrefixOf(context) } }),
      },
      ConsistentRead: true,
      Limit: limit,
    };
    const found: SessionKey[] = [];
    for await (const items of queryPages(this.client, query, signal)) {
      // TTL deletion lags by up to about two days, and until then a marker that has ended is returned like any other.
      const marked = items.filter((item) => (markedUntilOf(item) ?? 0) > nowSeconds);
      found.push(
        ...marked.map((item) =>
          markedSession({ callerId: item[A.callerId]?.S ?? "", context: item[A.context]?.S ?? "" }),
        ),
      );
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }
}
