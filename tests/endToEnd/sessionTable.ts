import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
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

  /** Makes the session look as if its client had connected `seconds` earlier. */
  async ageSession(recipient: Recipient, seconds: number): Promise<void> {
    await this.dynamodb.send(
      new UpdateItemCommand({
        TableName: this.tableName,
        Key: keyOf(recipient),
        UpdateExpression: "ADD connected_at :age",
        ExpressionAttributeValues: { ":age": { N: String(-1000 * seconds) } },
      }),
    );
  }

  private lookupKey(connectionId: string) {
    const Key = { caller_id: { S: `connection#${connectionId}` }, context: { S: "#connection" } };
    return { TableName: this.tableName, Key };
  }
}
