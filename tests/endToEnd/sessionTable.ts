import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { keyOf, type Recipient } from "./recipient";

/** The items of the session table other than the sessions that the relay reads, and items that a test overwrites. */
export class SessionTable {
  constructor(
    private readonly dynamodb: DynamoDBClient,
    private readonly tableName: string,
    private readonly signal: () => AbortSignal,
  ) {}

  async putSession(recipient: Recipient, attributes: Record<string, AttributeValue>): Promise<void> {
    const Item = { ...keyOf(recipient), ...attributes };
    await this.dynamodb.send(new PutItemCommand({ TableName: this.tableName, Item }));
  }

  /** What frames and the end of a connection find its session by. */
  async lookup(connectionId: string): Promise<Record<string, AttributeValue> | undefined> {
    const command = new GetItemCommand({ ...this.lookupKey(connectionId), ConsistentRead: true });
    return (await this.dynamodb.send(command, { abortSignal: this.signal() })).Item;
  }

  /** Deletes the lookup, as if the connection had never been let in. */
  async forgetLookup(connectionId: string): Promise<void> {
    await this.dynamodb.send(new DeleteItemCommand(this.lookupKey(connectionId)));
  }

  /** Makes the token of a connection look as if it had ended. */
  async expireToken(connectionId: string): Promise<void> {
    const item = await this.lookup(connectionId);
    const Item = { ...item, token_expires_at: { N: "1" } };
    await this.dynamodb.send(new PutItemCommand({ TableName: this.tableName, Item }));
  }

  /** Makes the connection look as if it had been opened under 0.1.0. */
  async asOf010(recipient: Recipient, session: Record<string, AttributeValue>): Promise<void> {
    const { connection_id = { S: "" }, connected_at = { N: "" }, expiration_date = { N: "" } } = session;
    await this.forgetLookup(connection_id.S ?? "");
    await this.putSession(recipient, { connection_id, connected_at, expiration_date });
  }

  /** Adds a live connection that is like the newest one, and `seconds` older. */
  async addOlderConnection(recipient: Recipient, connectionId: string, seconds: number): Promise<void> {
    const row = await this.rowOf(recipient);
    const connections = row.connections?.M ?? {};
    const newest = connections[row.connection_id?.S ?? ""]?.M ?? {};
    const connected_at = { N: String(Number(newest.connected_at?.N) - 1000 * seconds) };
    const M = { ...connections, [connectionId]: { M: { ...newest, connected_at } } };
    await this.putSession(recipient, { ...row, connections: { M } });
  }

  /** Makes the session look as if its clients had connected `seconds` earlier. */
  async ageSession(recipient: Recipient, seconds: number): Promise<void> {
    await this.changeConnections(recipient, (connection) => ({
      connected_at: { N: String(Number(connection.connected_at?.N) - 1000 * seconds) },
    }));
  }

  /** Makes the session and all its connections look as if they had expired. */
  async expireSession(recipient: Recipient): Promise<void> {
    await this.changeConnections(recipient, () => ({ expiration_date: { N: "1" } }));
  }

  /** Changes each connection in the session's row, and the row's own attributes, which are the newest connection's. */
  private async changeConnections(
    recipient: Recipient,
    change: (connection: Record<string, AttributeValue>) => Record<string, AttributeValue>,
  ): Promise<void> {
    const row = await this.rowOf(recipient);
    const connections = Object.entries(row.connections?.M ?? {}).map(([id, { M = {} }]) => [
      id,
      { M: { ...M, ...change(M) } },
    ]);
    const M = Object.fromEntries(connections) as Record<string, AttributeValue>;
    await this.putSession(recipient, { ...row, ...change(row), connections: { M } });
  }

  private async rowOf(recipient: Recipient): Promise<Record<string, AttributeValue>> {
    const command = new GetItemCommand({ TableName: this.tableName, Key: keyOf(recipient), ConsistentRead: true });
    return (await this.dynamodb.send(command, { abortSignal: this.signal() })).Item ?? {};
  }

  private lookupKey(connectionId: string) {
    const Key = { caller_id: { S: `connection#${connectionId}` }, context: { S: "#connection" } };
    return { TableName: this.tableName, Key };
  }
}
