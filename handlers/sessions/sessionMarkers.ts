import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { queryPages } from "../queryPages";
import { markedSession, markedUntilOf, markerAttributes, markerItemKey } from "./markerItems";
import { keyOf, SESSION_ATTRIBUTES as A } from "./sessionItems";
import type { SessionKey } from "./sessionKey";

/** Which sessions a user has connected to: a message for all of them is stored in the history of each. */
export interface SessionMarkers {
  /** Until when the session counts as connected, in epoch seconds; undefined if it does not. Consistent. */
  markedUntil(key: SessionKey, signal?: AbortSignal): Promise<number | undefined>;
  /** The session counts as connected until then. */
  mark(key: SessionKey, until: number, signal?: AbortSignal): Promise<void>;
  /**
   * The user's sessions that count as connected at `nowSeconds`, all of them or those of one context; at most `limit`.
   * Consistent.
   */
  list(
    user: { callerId: string; context?: string },
    nowSeconds: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<SessionKey[]>;
}

/** Markers in the session table. */
export class DynamoDbSessionMarkers implements SessionMarkers {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async markedUntil(key: SessionKey, signal?: AbortSignal): Promise<number | undefined> {
    const Key = keyOf(markerItemKey(key));
    const command = new GetItemCommand({ TableName: this.table.tableName, Key, ConsistentRead: true });
    return markedUntilOf((await this.client.send(command, { abortSignal: signal })).Item);
  }

  async mark(key: SessionKey, until: number, signal?: AbortSignal): Promise<void> {
    const Item = { ...keyOf(markerItemKey(key)), ...markerAttributes(until) };
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item }), { abortSignal: signal });
  }

  async list(
    { callerId, context }: { callerId: string; context?: string },
    nowSeconds: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<SessionKey[]> {
    const ofContext = context !== undefined && ` AND begins_with(${A.context}, :context)`;
    const query = {
      TableName: this.table.tableName,
      KeyConditionExpression: `${A.callerId} = :user${ofContext || ""}`,
      ExpressionAttributeValues: {
        ":user": { S: markerItemKey({ callerId, context: "" }).callerId },
        ...(ofContext && { ":context": { S: `${context}#` } }),
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
