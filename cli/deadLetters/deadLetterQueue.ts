import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { type DeadLetter, opened } from "./deadLetter";

/** Maximum time for which a received dead letter is hidden from others: it is released when the run ends. */
export const HIDDEN_SECONDS = 120;

/** A queue of dead letters. */
export interface DeadLetterQueue {
  /** Whether the queue is FIFO: it returns the dead letters of a group in order, and none while an earlier one is hidden. */
  readonly isFifo: boolean;
  /** Approximate counts: SQS is distributed. */
  count(): Promise<{ visible: number; hidden: number }>;
  /** Up to ten dead letters, which are hidden from others for `HIDDEN_SECONDS`. */
  receive(): Promise<DeadLetter[]>;
  /** Makes dead letters visible again. Never rejects. @returns how many stay hidden until their visibility timeout ends. */
  release(receiptHandles: readonly string[]): Promise<number>;
  delete(deadLetter: DeadLetter): Promise<void>;
}

/** A message for the relay's retry queue. */
export interface RetryMessage extends Pick<DeadLetter, "body" | "attributes" | "messageGroupId"> {
  /** Deduplication ID on a FIFO queue, valid for five minutes. */
  deduplicationId: string;
}

/** The relay's retry queue. */
export interface RetryQueue {
  send(message: RetryMessage): Promise<void>;
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
const MAX_MESSAGES = 10;

export class SqsDeadLetterQueue implements DeadLetterQueue {
  readonly isFifo: boolean;

  constructor(
    private readonly client: SQSClient,
    private readonly queueUrl: string,
  ) {
    this.isFifo = isFifo(queueUrl);
  }

  async count(): Promise<{ visible: number; hidden: number }> {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const { Attributes = {} } = await this.client.send(
      new GetQueueAttributesCommand({ QueueUrl: this.queueUrl, AttributeNames: [...names] }),
    );
    return { visible: Number(Attributes[names[0]] ?? 0), hidden: Number(Attributes[names[1]] ?? 0) };
  }

  async receive(): Promise<DeadLetter[]> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.queueUrl,
        MaxNumberOfMessages: MAX_MESSAGES,
        VisibilityTimeout: HIDDEN_SECONDS,
        // A short poll queries only some of SQS's servers, and may return nothing from a queue that is not empty.
        WaitTimeSeconds: 1,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["SentTimestamp", "MessageGroupId"],
      }),
    );
    return Messages.map(deadLetterOf).map(opened);
  }

  async release(receiptHandles: readonly string[]): Promise<number> {
    let hidden = 0;
    for (let first = 0; first < receiptHandles.length; first += MAX_MESSAGES) {
      const batch = receiptHandles.slice(first, first + MAX_MESSAGES);
      hidden += await this.releaseBatch(batch).catch(() => batch.length);
    }
    return hidden;
  }

  async delete({ receiptHandle }: DeadLetter): Promise<void> {
    await this.client.send(new DeleteMessageCommand({ QueueUrl: this.queueUrl, ReceiptHandle: receiptHandle }));
  }

  private async releaseBatch(receiptHandles: readonly string[]): Promise<number> {
    const { Failed = [] } = await this.client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: this.queueUrl,
        Entries: receiptHandles.map((ReceiptHandle, index) => ({
          Id: String(index),
          ReceiptHandle,
          VisibilityTimeout: 0,
        })),
      }),
    );
    return Failed.length;
  }
}

export class SqsRetryQueue implements RetryQueue {
  constructor(
    private readonly client: SQSClient,
    private readonly queueUrl: string,
  ) {}

  async send({ body, attributes, messageGroupId, deduplicationId }: RetryMessage): Promise<void> {
    await this.client.send(
      new SendMessageCommand({
        QueueUrl: this.queueUrl,
        MessageBody: body,
        MessageAttributes: attributes,
        MessageGroupId: messageGroupId,
        // A standard queue rejects it.
        ...(isFifo(this.queueUrl) && { MessageDeduplicationId: deduplicationId }),
      }),
    );
  }
}

function isFifo(queueUrl: string): boolean {
  return queueUrl.endsWith(".fifo");
}

function deadLetterOf({
  MessageId = "",
  ReceiptHandle = "",
  Body = "",
  MessageAttributes = {},
  Attributes,
}: Message): DeadLetter {
  return {
    id: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: MessageAttributes,
    messageGroupId: Attributes?.MessageGroupId,
    sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)),
  };
}
