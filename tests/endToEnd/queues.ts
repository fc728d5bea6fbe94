import {
  ListQueuesCommand,
  PurgeQueueCommand,
  PurgeQueueInProgress,
  SetQueueAttributesCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { FlushRequest } from "../../handlers/raw/flushRequests";
import type { Addresses } from "../../local/run/addresses";
import { pause } from "./pause";

/** What a test does to the relay's queues from outside. */
export class Queues {
  constructor(
    private readonly sqs: SQSClient,
    private readonly addresses: Addresses,
  ) {}

  /** Runs `work` while the retry queue takes no larger message. */
  async withMaximumMessageSize(bytes: number, work: () => Promise<void>): Promise<void> {
    const { queueUrl: QueueUrl } = this.addresses;
    const set = (MaximumMessageSize: string) =>
      this.sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { MaximumMessageSize } }));
    await set(String(bytes));
    try {
      await work();
    } finally {
      await set("1048576");
    }
  }

  /** Requests what a raw connection has missed, as `connect` does. */
  async requestFlush(request: FlushRequest): Promise<void> {
    const { QueueUrls: [QueueUrl] = [] } = await this.sqs.send(
      new ListQueuesCommand({ QueueNamePrefix: "relay-flush-queue" }),
    );
    await this.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(request) }));
  }

  /** Removes every message from every queue. */
  async purge(): Promise<void> {
    const { queueUrl, deadLetterQueueUrl, subscriptionDeadLetterQueueUrl } = this.addresses;
    for (const QueueUrl of [queueUrl, deadLetterQueueUrl, subscriptionDeadLetterQueueUrl]) {
      while (!(await this.isPurged(QueueUrl))) await pause();
    }
  }

  /** SQS takes one purge a minute, which is a second in a relay of time scale 60. */
  private async isPurged(QueueUrl: string): Promise<boolean> {
    try {
      await this.sqs.send(new PurgeQueueCommand({ QueueUrl }));
      return true;
    } catch (error) {
      if (error instanceof PurgeQueueInProgress) return false;
      throw error;
    }
  }
}
