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

  /** The item of a user's connection. */
  async connectionItem({ user }: Recipient, connectionId: string): Promise<Record<string, AttributeValue> | undefined> {
    const Key = { caller_id: { S: `user#${user}` }, context: { S: `#connection#${connectionId}` } };
    const command = new GetItemCommand({ TableName: this.tableName, Key, ConsistentRead: true });
    return (await this.dynamodb.send(command, { abortSignal: this.signal() })).Item;
  }

  /** What the frames of a connection find their session by. */
  async lookup(connectionId: string): Promise<Record<string, AttributeValue> | undefined> {
    const command = new GetItemCommand({ ...this.lookupKey(connectionId), ConsistentRead: true });
    return (await this.dynamodb.send(command, { abortSignal: this.signal() })).Item;
  }

  /** Deletes the lookup, as if the connection had never been let in. */
  async forgetLookup(connectionId: string): Promise<void> {
    await this.dynamodb.send(new DeleteItemCommand(this.lookupKey(connectionId)));
  }

  /** Makes the token of a connection look as if it had ended. */
  async expireToken(recipient: Recipient, connectionId: string): Promise<void> {
    const item = await this.connectionItem(recipient, connectionId);
    const Item = { ...item, token_expires_at: { N: "1" } };
    await this.dynamodb.send(new PutItemCommand({ TableName: this.tableName, Item }));
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
    const Key = { caller_id: { S: `connection#${connectionId}` }, context: { S: `#connection#${connectionId}` } };
    return { TableName: this.tableName, Key };
  }
}
