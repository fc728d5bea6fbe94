import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Segment } from "../../handlers/history/history";
import { partitionKeyOf } from "../../handlers/history/historyKey";
import { MIN_VISIT_GAP_MS } from "../../handlers/history/retention";
import { itemOfSegment, segmentOfItem } from "../../handlers/history/segmentItems";
import type { SessionKey } from "../../handlers/sessions/sessionKey";
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

  /** A session's segments, in the order of their numbers. */
  async log(to: Recipient): Promise<Segment[]> {
    return (await this.items(to)).map(segmentOfItem);
  }

  /** The ids of a session's messages, in the order of their numbers. */
  async messageIds(to: Recipient): Promise<string[]> {
    return (await this.log(to)).flatMap(({ messages }) => messages.map(({ id }) => id));
  }

  /** Resolves when the session has acknowledged that number: it reads again and again, since a table has no notifications. */
  async untilAcknowledged(to: Recipient, seq: number): Promise<void> {
    const Key = { ...sessionOf(to), entry: { S: "cursor" } };
    const read = () =>
      this.dynamodb.send(new GetItemCommand({ TableName: this.tableName, Key, ConsistentRead: true }), {
        abortSignal: this.relay.signal,
      });
    while (Number((await read()).Item?.acknowledged?.M?.seq?.N ?? 0) < seq) await pause();
  }

  /**
   * Resolves with the log when nothing but the last number is left of its last segment. Lets the time pass until the visit that
   * the sweeper plans for that.
   */
  async untilSealed(to: Recipient): Promise<Segment[]> {
    for (;;) {
      const log = await this.log(to);
      const { messages, isMarked, dueAtMs = 0 } = log.at(-1) ?? {};
      if (messages?.length === 0) return log;
      if (isMarked && dueAtMs > Date.now()) await this.age(to, MIN_VISIT_GAP_MS / 1000);
      await pause();
    }
  }

  /** Resolves when the session has that many segments. */
  async untilLength(to: Recipient, length: number): Promise<void> {
    while ((await this.items(to)).length !== length) await pause();
  }

  /**
   * Makes a session's messages look as if they had been stored `seconds` earlier: the first segment last, which brings the
   * sweeper.
   */
  async age(to: Recipient, seconds: number): Promise<void> {
    for (const { session, entry } of (await this.items(to)).reverse()) {
      await this.dynamodb.send(
        new UpdateItemCommand({
          TableName: this.tableName,
          Key: { session, entry } as Item,
          UpdateExpression: "ADD stored_at :ms, #until :ms, due_at :ms, expiration_date :seconds",
          ExpressionAttributeNames: { "#until": "until" },
          ExpressionAttributeValues: { ":ms": { N: String(-1000 * seconds) }, ":seconds": { N: String(-seconds) } },
        }),
      );
    }
  }

  /** Makes a message look as if its publisher's limit had passed; `isDue`: and as if the sweeper had to look at it now. */
  async pass(to: Recipient, messageId: string, { isDue }: { isDue: boolean }): Promise<void> {
    const segment = (await this.log(to)).find(({ messages }) => messages.some(({ id }) => id === messageId));
    if (!segment) throw new Error(`no message ${messageId} is stored`);
    const messages = segment.messages.map((each) => (each.id === messageId ? { ...each, expiresAtMs: 1 } : each));
    await this.put(to, { ...segment, messages, ...(isDue && due) });
  }

  /** Makes the session look as if a segment had been stored after a sealed one, and lets the sweeper look at it now. */
  async sealPredecessor(to: Recipient): Promise<void> {
    const [predecessor, tail] = (await this.log(to)).slice(-2);
    if (!predecessor || !tail) throw new Error("there are not two segments");
    await this.put(to, { ...predecessor, messages: [], ttlMs: undefined, isMarked: false });
    await this.put(to, { ...tail, ...due });
  }

  /** Deletes all that is stored of a session's messages, as if its table had been lost. */
  async lose(to: Recipient): Promise<void> {
    for (const { session, entry } of await this.items(to)) {
      const Key = { session, entry } as Item;
      await this.dynamodb.send(new DeleteItemCommand({ TableName: this.tableName, Key }));
    }
  }

  close(): void {
    this.dynamodb.destroy();
  }

  private async items(to: Recipient): Promise<Item[]> {
    const { Items = [] } = await this.dynamodb.send(
      new QueryCommand({
        TableName: this.tableName,
        KeyConditionExpression: "#session = :session AND begins_with(entry, :log)",
        ExpressionAttributeNames: { "#session": "session" },
        ExpressionAttributeValues: { ":session": sessionOf(to).session, ":log": { S: "log#" } },
        ConsistentRead: true,
      }),
      { abortSignal: this.relay.signal },
    );
    return Items;
  }

  private async put(to: Recipient, segment: Segment): Promise<void> {
    const Item = itemOfSegment(sessionKeyOf(to), segment);
    await this.dynamodb.send(new PutItemCommand({ TableName: this.tableName, Item }));
  }
}

/** Brings the sweeper. */
const due = { dueAtMs: 1, isMarked: true };

function sessionKeyOf({ user, context, contextId }: Recipient): SessionKey {
  return { callerId: `user#${user}`, context: `${context}#${contextId}` };
}

/** The partition key, as the relay's functions make it of whom a message is for. */
function sessionOf(to: Recipient): { session: AttributeValue } {
  return { session: { S: partitionKeyOf(sessionKeyOf(to)) } };
}
