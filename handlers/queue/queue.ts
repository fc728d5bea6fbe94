import {
  ChangeMessageVisibilityBatchCommand,
  type MessageAttributeValue,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSMessageAttribute } from "aws-lambda";
import { createHash } from "node:crypto";
import pLimit from "p-limit";
import { type Environment, text } from "../environment";
import { consoleLog, errorFields, type Log } from "../log";
import { type DeadLetter, idsOf, type MessageIds } from "../messages/message";

/** When a message of the retry queue becomes visible again. */
export interface Visibility extends MessageIds {
  receiptHandle: string;
  visibilityTimeoutSeconds: number;
}

/** The retry queue and its dead-letter queue. */
export interface MessageQueue {
  /** Never rejects: a failure is logged, and the message comes back after the queue's own visibility timeout. */
  changeVisibility(entries: readonly Visibility[], signal?: AbortSignal): Promise<void>;
  /** @throws if the dead letter may not have arrived. */
  deadLetter(deadLetter: DeadLetter, signal?: AbortSignal): Promise<void>;
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
const MAX_BATCH_ENTRIES = 10;

/** Below the SDK's 50 sockets: a request that waits for a socket exceeds its connection timeout. */
const MAX_PARALLEL_CALLS = 25;

/** The two queues in SQS. */
export class SqsMessageQueue implements MessageQueue {
  constructor(
    private readonly client: SQSClient,
    /** Each is only needed for what is done with that queue. */
    private readonly urls: { queueUrl?: string; deadLetterQueueUrl?: string },
    private readonly log: Log = consoleLog,
  ) {}

  async changeVisibility(entries: readonly Visibility[], signal?: AbortSignal): Promise<void> {
    const batches: Visibility[][] = [];
    for (let i = 0; i < entries.length; i += MAX_BATCH_ENTRIES) {
      batches.push(entries.slice(i, i + MAX_BATCH_ENTRIES));
    }
    await pLimit(MAX_PARALLEL_CALLS).map(batches, (batch) => this.changeVisibilityOfBatch(batch, signal));
  }

  async deadLetter(deadLetter: DeadLetter, signal?: AbortSignal): Promise<void> {
    const { deadLetterQueueUrl: QueueUrl = "" } = this.urls;
    await this.client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: deadLetter.body,
        MessageAttributes: Object.fromEntries(
          Object.entries(deadLetter.attributes).map(([name, attribute]) => [name, attributeValueOf(attribute)]),
        ),
        // A standard queue accepts one, too: a redrive is then as fair as the first delivery.
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagegroupid-property.html
        MessageGroupId: deadLetter.messageGroupId,
        ...(QueueUrl.endsWith(".fifo") && {
          MessageDeduplicationId: deduplicationIdOf(deadLetter),
        }),
      }),
      { abortSignal: signal },
    );
  }

  private async changeVisibilityOfBatch(entries: readonly Visibility[], signal?: AbortSignal): Promise<void> {
    try {
      const { Failed = [] } = await this.client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: this.urls.queueUrl,
          Entries: entries.map((entry, index) => ({
            Id: String(index),
            ReceiptHandle: entry.receiptHandle,
            VisibilityTimeout: entry.visibilityTimeoutSeconds,
          })),
        }),
        { abortSignal: signal },
      );
      for (const failed of Failed) {
        const entry = entries[Number(failed.Id)];
        this.log.warn("visibility not changed", {
          ...(entry && idsOf(entry)),
          error: failed.Code,
          errorMessage: failed.Message,
        });
      }
    } catch (error) {
      this.log.error("visibility not changed", {
        messageIds: entries.map(({ messageId }) => messageId),
        sqsMessageIds: entries.map(({ sqsMessageId }) => sqsMessageId),
        ...errorFields(error),
      });
    }
  }
}

/** The queues at `QUEUE_URL` and `DEAD_LETTER_QUEUE_URL`. */
export function messageQueueFromEnvironment(environment: Environment): MessageQueue {
  return new SqsMessageQueue(queueClient(), {
    queueUrl: text(environment, "QUEUE_URL"),
    deadLetterQueueUrl: text(environment, "DEAD_LETTER_QUEUE_URL"),
  });
}

/** The queue at `DEAD_LETTER_QUEUE_URL`; undefined if that is not set. */
export function deadLetterQueueFromEnvironment(environment: Environment): Pick<MessageQueue, "deadLetter"> | undefined {
  const deadLetterQueueUrl = environment.DEAD_LETTER_QUEUE_URL;
  return deadLetterQueueUrl ? new SqsMessageQueue(queueClient(), { deadLetterQueueUrl }) : undefined;
}

/** The queue at `FLUSH_QUEUE_URL`. */
export function flushQueueFromEnvironment(environment: Environment): Pick<MessageQueue, "changeVisibility"> {
  return new SqsMessageQueue(queueClient(), { queueUrl: text(environment, "FLUSH_QUEUE_URL") });
}

/** A client whose calls fail within seconds: its callers retry, or tell their own. */
export function queueClient(): SQSClient {
  return new SQSClient({
    maxAttempts: 2,
    // Without this flag, the SDK only logs a warning when a request exceeds its timeout.
    requestHandler: { connectionTimeout: 500, requestTimeout: 1_500, throwOnRequestTimeout: true },
  });
}

/**
 * Deduplication id of a dead letter. Derived from the message, since a message that is redriven and fails again within five
 * minutes is another dead letter. A hash, since an id from the history is the publisher's, and may have spaces.
 */
function deduplicationIdOf({ messageGroupId, sqsMessageId }: DeadLetter): string {
  return createHash("sha256")
    .update(JSON.stringify([messageGroupId, sqsMessageId]))
    .digest("hex");
}

/** Lambda's events have binary values in base64, which the SDK would encode again. */
function attributeValueOf({ dataType, stringValue, binaryValue }: SQSMessageAttribute): MessageAttributeValue {
  return binaryValue === undefined
    ? { DataType: dataType, StringValue: stringValue }
    : { DataType: dataType, BinaryValue: Buffer.from(binaryValue, "base64") };
}
