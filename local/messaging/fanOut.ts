import { AsyncLocalStorage } from "node:async_hooks";
import { account } from "../account";
import type { Trace } from "../trace";
import type { MessageAttributes, Publication, SnsStore, SnsSubscription, SqsQueue, StoreClasses } from "./fauxqs";
import { deniedBecause } from "./queuePolicy";

/** The most attributes an SQS message carries; SNS takes more. */
export const maxMessageAttributes = 10;

/**
 * What fauxqs leaves out between a topic and its queues: the queue's policy, and the subscription's dead-letter queue.
 *
 * fauxqs fans a message out itself - filters, raw delivery, deduplication - and asks the queue store for each
 * subscribed queue. A request to publish runs in `publishing`, so that this question is known for what it is, and
 * answered with the queue that is to get the message. Other requests are never in that context, however they interleave.
 */
export class FanOut {
  private readonly context = new AsyncLocalStorage<{ publication?: Publication }>();

  constructor(
    private readonly stores: { snsStore: SnsStore; queueByArn: (arn: string) => SqsQueue | undefined },
    private readonly createMessage: StoreClasses["SqsStore"]["createMessage"],
    private readonly trace: Trace,
    private readonly log: (line: string) => void,
  ) {}

  /** Runs the handling of a request to publish. */
  publishing(handle: () => void): void {
    this.context.run({}, handle);
  }

  /** Whether the caller is SNS delivering, and not a client of the queue. */
  get isPublishing(): boolean {
    return this.context.getStore() !== undefined;
  }

  /** The publication that the fan-out is about to deliver: once for a Publish, once an entry of a PublishBatch. */
  begin(publication: Publication): void {
    const context = this.context.getStore();
    if (!context) return;
    context.publication = publication;
    const { user, context: feature, contextId } = publication.messageAttributes;
    const name = (attribute?: { StringValue?: string }) => attribute?.StringValue ?? "?";
    this.trace.record("BackendApi", "Publisher", `publish to ${name(user)}/${name(feature)}#${name(contextId)}`);
  }

  /** The queue that gets what is being published to `queueArn`; undefined where none does. */
  destination(queueArn: string): SqsQueue | undefined {
    const publication = this.context.getStore()?.publication;
    if (!publication) throw new Error("fauxqs delivers a message that it did not announce");
    const subscription = this.stores.snsStore
      .listSubscriptionsByTopic(publication.topicArn)
      .find(({ endpoint }) => endpoint === queueArn);
    if (!subscription) throw new Error(`fauxqs delivers to ${queueArn}, which is not subscribed`);

    const attributes = Object.keys(publication.messageAttributes).length;
    const isTooMany = subscription.attributes["RawMessageDelivery"] === "true" && attributes > maxMessageAttributes;
    const cause = isTooMany
      ? `raw delivery of ${attributes} message attributes, where an SQS message carries ${maxMessageAttributes}`
      : this.undeliverableBecause(publication.topicArn, queueArn);
    if (!cause) return this.stores.queueByArn(queueArn);

    const deadLetterQueue = this.deadLetterQueue(subscription, cause);
    if (deadLetterQueue && isTooMany) {
      // The dead letter cannot carry the attributes either. AWS documents no shape for it: SNS's own envelope has them.
      deadLetterQueue.enqueue(this.createMessage(envelope(publication)));
      return undefined;
    }
    return deadLetterQueue;
  }

  /** A subscription's dead-letter queue where it can take a message; logs what becomes of the message. */
  private deadLetterQueue({ topicArn, endpoint, attributes }: SnsSubscription, cause: string): SqsQueue | undefined {
    const line = (end: string) => this.log(`${topicArn} cannot deliver to ${endpoint}: ${cause}; ${end}`);
    const redrivePolicy = attributes["RedrivePolicy"];
    if (!redrivePolicy) {
      line("the message is discarded, for the subscription has no dead-letter queue");
      return undefined;
    }
    const { deadLetterTargetArn } = JSON.parse(redrivePolicy) as { deadLetterTargetArn: string };
    const refusal = this.undeliverableBecause(topicArn, deadLetterTargetArn);
    if (refusal) {
      line(`the message is discarded, for the dead-letter queue ${deadLetterTargetArn} cannot take it: ${refusal}`);
      return undefined;
    }
    line(`the message went to the subscription's dead-letter queue ${deadLetterTargetArn}`);
    return this.stores.queueByArn(deadLetterTargetArn);
  }

  private undeliverableBecause(topicArn: string, queueArn: string): string | undefined {
    const queue = this.stores.queueByArn(queueArn);
    if (!queue) return "the queue does not exist";
    if (usesManagedKey(queue)) return managedKeyRefusal;
    try {
      return deniedBecause(queue.attributes["Policy"], { topicArn, queueArn, account });
    } catch (error) {
      return `the queue's policy cannot be evaluated: ${(error as Error).message}`;
    }
  }
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html */
export const managedKeyRefusal =
  "the queue is encrypted with the AWS managed key alias/aws/sqs, which SNS cannot use: " +
  "set sqsManagedSseEnabled, or kmsMasterKeyId to a customer key";

export function usesManagedKey(queue: SqsQueue): boolean {
  return queue.attributes["KmsMasterKeyId"] === "alias/aws/sqs";
}

function envelope({ topicArn, messageId, body, messageAttributes }: Publication): string {
  return JSON.stringify({
    Type: "Notification",
    MessageId: messageId,
    TopicArn: topicArn,
    Message: body,
    Timestamp: new Date().toISOString(),
    MessageAttributes: envelopeAttributes(messageAttributes),
  });
}

function envelopeAttributes(attributes: MessageAttributes): Record<string, { Type: string; Value: string }> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: StringValue ?? BinaryValue ?? "" },
    ]),
  );
}
