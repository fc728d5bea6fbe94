import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { type ConnectionLookup, connectionLookupKey, LOOKUP_ATTRIBUTES } from "./connectionLookup";
import { SESSION_ATTRIBUTES } from "../sessions/sessionKey";
import { sessionOf } from "../sessions/sessionStore";
import { keyOf } from "../dynamoDb";

/** Which session a connection was opened for. The index on connections would tell it too, but it lags. */
export interface ConnectionLookups {
  add(lookup: ConnectionLookup): Promise<void>;
  /** The lookup as it stands now; undefined where the connection has ended, or was never admitted. */
  read(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined>;
}

const A = { ...SESSION_ATTRIBUTES, ...LOOKUP_ATTRIBUTES };

/** Lookups in the session table. */
export class DynamoDbConnectionLookups implements ConnectionLookups {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async add({ connectionId, connectedAt, expirationDate, session }: ConnectionLookup): Promise<void> {
    const Item = {
      ...keyOf(connectionLookupKey(connectionId)),
      // By which the index finds it when the connection has ended.
      [A.connectionId]: { S: connectionId },
      [A.connectedAt]: { N: String(connectedAt) },
      [A.expirationDate]: { N: String(expirationDate) },
      [A.sessionCallerId]: { S: session.callerId },
      [A.sessionContext]: { S: session.context },
    };
    await this.client.send(new PutItemCommand({ TableName: this.table.tableName, Item }));
  }

  async read(connectionId: string, signal?: AbortSignal): Promise<ConnectionLookup | undefined> {
    const Key = keyOf(connectionLookupKey(connectionId));
    const command = new GetItemCommand({ TableName: this.table.tableName, Key, ConsistentRead: true });
    const { Item = {} } = await this.client.send(command, { abortSignal: signal });
    const row = sessionOf(Item);
    const [callerId, context] = [Item[A.sessionCallerId]?.S, Item[A.sessionContext]?.S];
    if (!row || !callerId || !context) return undefined;
    const { connectedAt, expirationDate } = row;
    return { connectionId, connectedAt, expirationDate, session: { callerId, context } };
  }
}
