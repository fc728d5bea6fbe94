import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishBatchCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDbHistory } from "../handlers/history/dynamoDbHistory";
import { HISTORY_ATTRIBUTES as A, historyItemKey } from "../handlers/history/historyItems";
import { logEntry } from "../handlers/history/historyKey";
import { sessionKey, type SessionKey } from "../handlers/sessions/sessionKey";
import { DynamoDbSessionStore } from "../handlers/sessions/sessionStore";
import type { Addresses } from "../local/run/addresses";
import { Child } from "./childProcess";
import type { Recording } from "./recorder";
import type { RelayAnswer, RelayRequest } from "./relayProcess";

/** The context of all clients and messages. */
export const CONTEXT = { context: "chat", contextId: "7" } as const;

export interface RelayOptions {
  /** Values that override those of the stack `dev`. */
  config: Record<string, string>;
  /** Whether the functions' requests can be recorded. @default false */
  recorded?: boolean;
  timeScale?: number;
}

/** A local run in its own process, with a backend for it. */
export class BenchRelay {
  private readonly dynamodb: DynamoDBClient;
  private readonly sns: SNSClient;
  private readonly sqs: SQSClient;
  private readonly sessions: DynamoDbSessionStore;
  private readonly history: DynamoDbHistory;
  private published = 0;

  private constructor(
    private readonly child: Child<RelayRequest, RelayAnswer>,
    readonly addresses: Addresses,
  ) {
    const { region, accessKeyId, secretAccessKey, awsEndpoint, dynamodbEndpoint, tableName } = addresses;
    const client = { region, credentials: { accessKeyId, secretAccessKey } };
    this.dynamodb = new DynamoDBClient({ ...client, endpoint: dynamodbEndpoint });
    this.sns = new SNSClient({ ...client, endpoint: awsEndpoint });
    this.sqs = new SQSClient({ ...client, endpoint: awsEndpoint });
    this.sessions = new DynamoDbSessionStore(this.dynamodb, { tableName });
    // Only for reads, which do not need the retention.
    const { historyTableName = "" } = addresses;
    this.history = new DynamoDbHistory(this.dynamodb, { tableName: historyTableName, retentionMs: 0 });
  }

  static async start({ config, recorded = false, timeScale }: RelayOptions): Promise<BenchRelay> {
    const child = Child.start<RelayRequest, RelayAnswer>("relayProcess.ts");
    try {
      const addresses = (await child.ask({ start: { config, recorded, timeScale } })) as Addresses;
      return new BenchRelay(child, addresses);
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    [this.dynamodb, this.sns, this.sqs].forEach((client) => client.destroy());
    await this.child.ask({ stop: true });
    await this.child.stop();
  }

  async record(answerDelayMs = 0): Promise<void> {
    await this.child.ask({ record: { answerDelayMs } });
  }

  async recorded(): Promise<Recording> {
    return (await this.child.ask({ recorded: true })) as Recording;
  }

  async token(user: string): Promise<string> {
    const response = await fetch(`${this.addresses.tokenUrl}?user=${encodeURIComponent(user)}`);
    return response.text();
  }

  /** Publishes `count` messages, ten at a time, in order. */
  async publish(user: string, body: string, count: number): Promise<void> {
    const attribute = (value: string) => ({ DataType: "String", StringValue: value });
    for (let first = 0; first < count; first += 10) {
      const PublishBatchRequestEntries = Array.from({ length: Math.min(10, count - first) }, (_, index) => ({
        Id: String(index),
        Message: body,
        // As the backend helper does.
        MessageGroupId: user,
        MessageAttributes: {
          user: attribute(user),
          context: attribute(CONTEXT.context),
          contextId: attribute(CONTEXT.contextId),
          messageId: attribute(`${user}-${++this.published}`),
        },
      }));
      const { topicArn: TopicArn } = this.addresses;
      const { Failed = [] } = await this.sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
      if (Failed.length > 0) throw new Error(`not published: ${JSON.stringify(Failed)}`);
    }
  }

  /** Resolves once the user's session is deleted: then no message is posted to the old connection. */
  async untilGone(user: string): Promise<void> {
    await until(async () => (await this.sessions.read(keyOf(user))) === undefined);
  }

  /** Resolves once the user's log has reached this number and the queue is empty. */
  async untilStored(user: string, seq: number): Promise<void> {
    await until(async () => (await this.history.readTail(keyOf(user)))?.seq === seq);
    await this.untilQueueIsEmpty();
  }

  /** Resolves once the user's client has acknowledged this number. */
  async untilAcknowledged(user: string, seq: number): Promise<void> {
    await until(async () => (await this.history.readAcknowledged(keyOf(user)))?.seq === seq);
  }

  /** The sum of a metric of the functions over all reasons. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.addresses.controlUrl}/metrics`);
    const all = (await response.json()) as { name: string; sum: number }[];
    // Each metric has a total and a value per reason.
    return Math.max(0, ...all.filter((each) => each.name === name).map(({ sum }) => sum));
  }

  async purgeQueue(): Promise<void> {
    await this.sqs.send(new PurgeQueueCommand({ QueueUrl: this.addresses.queueUrl }));
  }

  /** Number of the user's messages in the history. */
  async entries(user: string): Promise<number> {
    return (await this.history.readAfter(keyOf(user), 0, 1_000)).length;
  }

  /** Ages the user's messages in the history beyond their retention, so that the functions delete them. */
  async age(user: string): Promise<void> {
    const { historyTableName: TableName } = this.addresses;
    for (const { seq } of await this.history.readAfter(keyOf(user), 0, 1_000)) {
      await this.dynamodb.send(
        new UpdateItemCommand({
          TableName,
          Key: historyItemKey(keyOf(user), logEntry(seq)),
          UpdateExpression: `ADD ${A.storedAt} :age, ${A.dueAt} :age`,
          // The longest retention.
          ExpressionAttributeValues: { ":age": { N: String(-1_209_600_000) } },
        }),
      );
    }
  }

  async untilQueueIsEmpty(): Promise<void> {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    await until(async () => {
      const { queueUrl: QueueUrl } = this.addresses;
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
      const { Attributes } = await this.sqs.send(command);
      return names.every((name) => Attributes?.[name] === "0");
    });
  }
}

export function keyOf(user: string): SessionKey {
  const key = sessionKey(user, CONTEXT.context, CONTEXT.contextId);
  if (key.reason !== undefined) throw new Error(key.reason);
  return key.value;
}

/** Polls until the condition is true, for a minute at most. Not used during a measurement. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`not true after a minute: ${condition}`);
    await delay(10);
  }
}
