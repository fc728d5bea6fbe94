import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand, paginateScan, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishBatchCommand, type PublishBatchCommandInput, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { RelayBackend, type RelayStream, type StreamOptions } from "../backend";
import type { Addresses } from "../local/run/addresses";
import type { Item } from "./capacity";
import { Child } from "./childProcess";
import { olderItem } from "./olderItem";
import type { Recording } from "./recorder";
import type { RelayAnswer, RelayRequest } from "./relayProcess";
import type { Swept } from "./sweeps";

/** The context of all clients and messages. */
export const CONTEXT = { context: "chat", contextId: "7" } as const;

export interface RelayOptions {
  /** Values that override those of the stack `dev`. */
  config: Record<string, string>;
  /** Whether the functions' requests can be recorded. @default false */
  recorded?: boolean;
  timeScale?: number;
  /** Invocations of one function at a time. @default the local run's limit */
  maxEnvironments?: number;
}

/** A message to one user. */
export interface Addressed {
  user: string;
  message: string;
}

/** `publishBatch`, which older commits do not have. */
interface Batching {
  publishBatch?(publications: object[]): Promise<unknown>;
}

/**
 * A local run in its own process, with a backend for it. It knows only what every commit has: the flow's attributes of a session,
 * the queue, and the backend library.
 */
export class BenchRelay {
  private readonly dynamodb: DynamoDBClient;
  private readonly sns: SNSClient;
  private readonly sqs: SQSClient;
  private readonly backend: RelayBackend;
  private published = 0;
  /** Requests to SNS, and the messages in them, since the recording started. */
  private requests = 0;
  private messages = 0;
  /** Frames that clients have sent and that invoke a function. */
  frames = 0;

  private constructor(
    private readonly child: Child<RelayRequest, RelayAnswer>,
    readonly addresses: Addresses,
  ) {
    const { region, accessKeyId, secretAccessKey, awsEndpoint, dynamodbEndpoint, topicArn } = addresses;
    const client = { region, credentials: { accessKeyId, secretAccessKey } };
    this.dynamodb = new DynamoDBClient({ ...client, endpoint: dynamodbEndpoint });
    this.sns = new SNSClient({ ...client, endpoint: awsEndpoint });
    this.sqs = new SQSClient({ ...client, endpoint: awsEndpoint });
    this.backend = new RelayBackend({ topicArn, clients: { sns: this.sns } });
    this.sns.middlewareStack.add(
      (next) => (args) => {
        const { PublishBatchRequestEntries } = args.input as PublishBatchCommandInput;
        this.requests += 1;
        this.messages += PublishBatchRequestEntries?.length ?? 1;
        return next(args);
      },
      { step: "initialize" },
    );
  }

  static async start({ config, recorded = false, timeScale, maxEnvironments }: RelayOptions): Promise<BenchRelay> {
    const child = Child.start<RelayRequest, RelayAnswer>("relayProcess.ts");
    try {
      const start = { config, recorded, timeScale, maxEnvironments };
      return new BenchRelay(child, (await child.ask({ start })) as Addresses);
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
    this.requests = 0;
    this.messages = 0;
    await this.child.ask({ record: { answerDelayMs } });
  }

  async recorded(): Promise<Recording> {
    return (await this.child.ask({ recorded: true })) as Recording;
  }

  /** Requests to SNS since the recording started. */
  get publishRequests(): number {
    return this.requests;
  }

  /** Messages that were sent to SNS since the recording started. */
  get publishedMessages(): number {
    return this.messages;
  }

  /** Resolves once every frame that clients have sent is handled, and no function runs. */
  async untilHandled(): Promise<void> {
    await this.child.ask({ handled: { frames: this.frames } });
  }

  /** Runs the history sweeper at times that are ahead, each until it finds nothing more to do. */
  async sweep(aheadMs: readonly number[]): Promise<Swept> {
    return (await this.child.ask({ sweep: { aheadMs } })) as Swept;
  }

  async token(user: string): Promise<string> {
    const response = await fetch(`${this.addresses.tokenUrl}?user=${encodeURIComponent(user)}`);
    return response.text();
  }

  /** Publishes bodies to one user in order, ten in a request, without the backend library. */
  async publish(user: string, bodies: readonly string[]): Promise<void> {
    const attribute = (value: string) => ({ DataType: "String", StringValue: value });
    for (let first = 0; first < bodies.length; first += 10) {
      const PublishBatchRequestEntries = bodies.slice(first, first + 10).map((body, index) => ({
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

  /** Publishes one message with the backend library. */
  async publishOne(message: Addressed): Promise<void> {
    await this.backend.publish({ ...CONTEXT, ...message });
  }

  /** Opens a stream with the backend library. */
  stream(user: string, options: Partial<StreamOptions> = {}): RelayStream {
    return this.backend.stream({ ...CONTEXT, user, ...options });
  }

  /**
   * Publishes up to ten messages with the backend library: in one request if it has `publishBatch`. The relay must be recorded:
   * its pollers wait, so that `deliver` gets all of them in one batch, as from a queue that is busy.
   */
  async publishBatch(messages: readonly Addressed[]): Promise<void> {
    const publications = messages.map((message) => ({ ...CONTEXT, ...message }));
    const { publishBatch } = this.backend as Batching;
    await this.child.ask({ poll: false });
    if (publishBatch) await publishBatch.call(this.backend, publications);
    else for (const publication of publications) await this.backend.publish(publication);
    await this.child.ask({ poll: true });
  }

  /**
   * Resolves once the user's session has no live connection: then no message is posted to the old one. The row may stay, with
   * the superseded connection of a handshake that failed after it was saved, which gets no `$disconnect`.
   */
  async untilGone(user: string): Promise<void> {
    const { tableName: TableName } = this.addresses;
    const Key = { caller_id: { S: `user#${user}` }, context: { S: `${CONTEXT.context}#${CONTEXT.contextId}` } };
    const command = new GetItemCommand({ TableName, Key, ConsistentRead: true });
    await until(async () => (await this.dynamodb.send(command)).Item?.connection_id === undefined);
  }

  /** The sum of a metric of the functions, by default over all reasons. */
  async metric(name: string, reason?: string): Promise<number> {
    const response = await fetch(`${this.addresses.controlUrl}/metrics`);
    const all = (await response.json()) as { name: string; sum: number; dimensions: Record<string, string> }[];
    // Each metric has a total and a value per reason.
    const sums = all.filter(
      (each) => each.name === name && (reason === undefined || each.dimensions.Reason === reason),
    );
    return Math.max(0, ...sums.map(({ sum }) => sum));
  }

  async purgeQueue(): Promise<void> {
    await this.sqs.send(new PurgeQueueCommand({ QueueUrl: this.addresses.queueUrl }));
  }

  /** Every item of the history. */
  async historyItems(): Promise<Item[]> {
    const { historyTableName: TableName } = this.addresses;
    const items: Item[] = [];
    for await (const { Items = [] } of paginateScan({ client: this.dynamodb }, { TableName, ConsistentRead: true })) {
      items.push(...Items);
    }
    return items;
  }

  /** Makes each item of the history older, as if so much time had passed; what `deliver` remembers of it is gone then. */
  async age(ms: number): Promise<void> {
    await this.child.ask({ forget: "deliver" });
    const { historyTableName: TableName } = this.addresses;
    for (const item of await this.historyItems()) {
      await this.dynamodb.send(new PutItemCommand({ TableName, Item: olderItem(item, ms) }));
    }
  }

  /** Resolves once each published message has left the queue: delivered, or stored in replay mode. */
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

/** Polls until the condition is true, for `seconds` at most. Not used during a measurement. */
export async function until(condition: () => Promise<boolean>, seconds = 60): Promise<void> {
  const endMs = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`not true after ${seconds} s: ${condition}`);
    await delay(10);
  }
}
