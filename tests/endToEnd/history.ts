import { createHash } from "node:crypto";
import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { pause } from "./pause";
import { type Recipient, type Relay } from "./relay";

type Item = Record<string, AttributeValue>;

/** The history table of a relay, as an operator sees it. */
export class History {
  private readonly dynamodb: DynamoDBClient;
  private readonly tableName: string;

  constructor(private readonly relay: Relay) {
    const { addresses } = relay;
    const { region, accessKeyId, secretAccessKey, dynamodbEndpoint: endpoint, historyTableName } = addresses;
    if (historyTableName === undefined) throw new Error("the relay has no history: it is in retry mode");
    this.tableName = historyTableName;
    this.dynamodb = new DynamoDBClient({ region, credentials: { accessKeyId, secretAccessKey }, endpoint });
  }

  /** What is stored for a session, in the order of its numbers. */
  async log(to: Recipient): Promise<Item[]> {
    const { Items = [] } = await this.dynamodb.send(
      new QueryCommand({
        TableName: this.tableName,
        KeyConditionExpression: "#session = :session AND begins_with(entry, :log)",
        ExpressionAttributeNames: { "#session": "session" },
        ExpressionAttributeValues: { ":session": sessionOf(to), ":log": { S: "log#" } },
        ConsistentRead: true,
      }),
      { abortSignal: this.relay.signal },
    );
    return Items;
  }

  /** Resolves when the session has acknowledged that number: it reads again and again, since a table has no notifications. */
  async untilAcknowledged(to: Recipient, seq: number): Promise<void> {
    const Key = { session: sessionOf(to), entry: { S: "acknowledged" } };
    const read = () => this.dynamodb.send(new GetItemCommand({ TableName: this.tableName, Key, ConsistentRead: true }));
    while (Number((await read()).Item?.seq?.N ?? 0) < seq) await pause();
  }

  /** Resolves when nothing is stored of that number but, if it is the last one, that it was there. */
  async untilForgotten(to: Recipient, seq: number): Promise<void> {
    const isStored = (item: Item) => item.seq?.N === String(seq) && item.body !== undefined;
    while ((await this.log(to)).some(isStored)) await pause();
  }

  /** Makes a session's messages look as if they had been stored `seconds` earlier. */
  async age(to: Recipient, seconds: number): Promise<void> {
    for (const { session, entry } of await this.log(to)) {
      await this.dynamodb.send(
        new UpdateItemCommand({
          TableName: this.tableName,
          Key: { session, entry } as Item,
          UpdateExpression: "ADD stored_at :age, due_at :age",
          ExpressionAttributeValues: { ":age": { N: String(-1000 * seconds) } },
        }),
      );
    }
  }

  /** Makes a message look as if its publisher's limit had passed; `isDue`: and as if the sweeper had to look at it now. */
  async pass(to: Recipient, messageId: string, { isDue }: { isDue: boolean }): Promise<void> {
    const item = (await this.log(to)).find(({ message_id }) => message_id?.S === messageId);
    if (!item) throw new Error(`no message ${messageId} is stored`);
    const { session, entry } = item;
    await this.dynamodb.send(
      new UpdateItemCommand({
        TableName: this.tableName,
        Key: { session, entry } as Item,
        UpdateExpression: `SET expires_at = :past${isDue ? ", due_at = :past" : ""}`,
        ExpressionAttributeValues: { ":past": { N: "1" } },
      }),
    );
  }

  /** Deletes all that is stored of a session, as if its table had been lost. */
  async lose(to: Recipient): Promise<void> {
    for (const { session, entry } of await this.log(to)) {
      const Key = { session, entry } as Item;
      await this.dynamodb.send(new DeleteItemCommand({ TableName: this.tableName, Key }));
    }
  }

  /** Claims a number for a message, as a `deliver` that was ended right after it. */
  async claim(to: Recipient, messageId: string, seq: number): Promise<void> {
    const now = Date.now();
    const claim = {
      seq: { N: String(seq) },
      claimed_at: { N: String(now) },
      expiration_date: { N: String(Math.ceil(now / 1000) + 172_800) },
    };
    const Item = { session: sessionOf(to), entry: { S: `id#${messageId}` }, ...claim };
    await this.dynamodb.send(new PutItemCommand({ TableName: this.tableName, Item }));
  }

  close(): void {
    this.dynamodb.destroy();
  }
}

/** The partition key, as the relay's functions make it of whom a message is for. */
function sessionOf({ user, context, contextId }: Recipient): AttributeValue {
  const text = JSON.stringify([`user#${user}`, `${context}#${contextId}`]);
  return { S: createHash("sha256").update(text).digest("hex") };
}
