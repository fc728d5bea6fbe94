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

/** How long a dead letter that was received is hidden from others: at most, since it is released when the run ends. */
export const HIDDEN_SECONDS = 120;

/** A queue of dead letters. */
export interface DeadLetterQueue {
  /** Whether dead letters of a group come in order, and none while another of it is received and not deleted. */
  readonly isFifo: boolean;
  /** Approximately: SQS is distributed. */
  count(): Promise<{ visible: number; hidden: number }>;
  /** Up to ten dead letters, which are hidden from others for `HIDDEN_SECONDS`. */
  receive(): Promise<DeadLetter[]>;
  /** Shows dead letters to others again. Never rejects. @returns how many are hidden until their time is up. */
  release(receiptHandles: readonly string[]): Promise<number>;
  delete(deadLetter: DeadLetter): Promise<void>;
}

/** A message for the relay's retry queue. */
export interface RetryMessage extends Pick<DeadLetter, "body" | "attributes" | "messageGroupId"> {
  /** By what a FIFO queue knows the message again, within five minutes. */
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
        // A short poll asks some of SQS's servers, and may find nothing in a queue that is not empty.
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
        // A standard queue refuses one.
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
