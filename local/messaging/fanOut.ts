import { AsyncLocalStorage } from "node:async_hooks";
import type { Trace } from "../trace/trace";
import { TopicDeduplication } from "./deduplication";
import type { MessageAttributes, Publication, SnsStore, SnsSubscription, SqsQueue } from "./fauxqs";
import { type FilterPolicyScope, matchesFilterPolicy } from "./filterPolicy";
import { sqsRefusalOf } from "./messageRules";
import type { PublishEntry } from "./publishRequests";

/**
 * Adds what fauxqs lacks between a topic and its queues: SNS's filter policies, the queue's policy, SQS's refusals of a
 * message, and the subscription's dead-letter queue.
 *
 * fauxqs fans a message out itself - raw delivery, deduplication - and asks its stores for each subscription and its
 * queue. A request to publish runs in `publishing`, so that this question is recognized, and answered with the
 * queue that gets the message. Other requests are never in that context, however they interleave.
 */
export class FanOut {
  private readonly context = new AsyncLocalStorage<PublishContext>();
  private readonly deduplication = new TopicDeduplication();

  constructor(
    private readonly stores: { snsStore: SnsStore; queueByArn: (arn: string) => SqsQueue | undefined },
    private readonly judge: (topicArn: string, queue: SqsQueue) => Promise<Verdict>,
    private readonly trace: Trace,
    private readonly log: (line: string) => void,
  ) {}

  /** Runs the handling of a request to publish `entries`, once it is known which queues let SNS send to them. */
  async publishing(topicArn: string, entries: PublishEntry[], handle: () => void): Promise<void> {
    const subscriptions = this.stores.snsStore.listSubscriptionsByTopic(topicArn);
    const queueArns = subscriptions.flatMap((each) => [each.endpoint, deadLetterTargetArn(each) ?? []].flat());
    const verdicts: Verdicts = new Map();
    for (const queueArn of new Set(queueArns)) verdicts.set(queueArn, await this.verdict(topicArn, queueArn));
    this.context.run({ verdicts, entries: [...entries] }, handle);
  }

  /** Whether the caller is SNS delivering, and not a client of the queue. */
  get isPublishing(): boolean {
    return this.context.getStore() !== undefined;
  }

  /** The message group of the message being published. */
  get messageGroupId(): string | undefined {
    return this.context.getStore()?.entry?.messageGroupId;
  }

  /** A standard queue gets the group, too, raw or not, except for the group of a FIFO topic. */
  get messageGroupIdOfStandardTopic(): string | undefined {
    const { publication, entry } = this.context.getStore() ?? {};
    return publication?.topicArn.endsWith(".fifo") ? undefined : entry?.messageGroupId;
  }

  /** A subscription as fauxqs is to see it while it publishes: its filter policy already judged. */
  judged(subscription: SnsSubscription): SnsSubscription {
    const { entry } = this.context.getStore() ?? {};
    const { FilterPolicy, ...attributes } = subscription.attributes;
    if (!FilterPolicy || !entry) return subscription;
    const scope = scopeOf(attributes["FilterPolicyScope"]);
    const message = { body: entry.message, attributes: entry.attributes as MessageAttributes };
    const confirmed = subscription.confirmed && matchesFilterPolicy(FilterPolicy, scope, message);
    return { ...subscription, confirmed, attributes };
  }

  /** The publication that the fan-out is about to deliver: once for a Publish, once an entry of a PublishBatch. */
  begin(publication: Publication): void {
    const context = this.context.getStore();
    if (!context) return;
    context.publication = publication;
    // In order, and all of them: what fauxqs would refuse was refused before.
    const entry = context.entries.shift();
    // With another entry the message would get that one's filter and group.
    if (entry?.message !== publication.body) {
      throw new Error(`fauxqs announces a message to ${publication.topicArn} that is not the next one published`);
    }
    context.entry = entry;
    const { attributes, scopedDeduplicationId } = entry;
    context.isDuplicate = this.isDuplicate(publication.topicArn, scopedDeduplicationId);
    const { user, context: feature, contextId, scope: messageScope, status } = attributes;
    const name = (attribute?: { StringValue?: string }) => attribute?.StringValue ?? (messageScope ? "*" : "?");
    // The relay itself publishes only receipts, which have no contextId attribute.
    if (status && !contextId) return this.trace.record("Lambda", "Publisher", `receipt: ${name(status)}`);
    this.trace.record("BackendApi", "Publisher", `publish to ${name(user)}/${name(feature)}#${name(contextId)}`);
  }

  /** The queue that gets the message on its way to `queueArn`; undefined where none does. */
  destination(queueArn: string): SqsQueue | undefined {
    const { publication, verdicts, isDuplicate } = this.context.getStore() ?? {};
    if (!publication || !verdicts) throw new Error("fauxqs delivers a message that it did not announce");
    if (isDuplicate) return undefined;
    // Subscribed while the message was under way: too late for it.
    if (!verdicts.has(queueArn)) return undefined;
    const subscription = this.stores.snsStore
      .listSubscriptionsByTopic(publication.topicArn)
      .find(({ endpoint }) => endpoint === queueArn);
    if (!subscription) throw new Error(`fauxqs delivers to ${queueArn}, which is not subscribed`);

    const queue = this.stores.queueByArn(queueArn);
    const cause = refusalOf(verdicts, queueArn) ?? sqsRefusal(queue, subscription, publication);
    return cause ? this.deadLetterQueue(subscription, cause, publication, verdicts) : queue;
  }

  /** A subscription's dead-letter queue where it can take a message; logs where the message goes. */
  private deadLetterQueue(
    subscription: SnsSubscription,
    cause: string,
    publication: Publication,
    verdicts: Verdicts,
  ): SqsQueue | undefined {
    const { topicArn, endpoint } = subscription;
    const line = (end: string) => this.log(`${topicArn} cannot deliver to ${endpoint}: ${cause}; ${end}`);
    const target = deadLetterTargetArn(subscription);
    if (!target) {
      line("the message is discarded because the subscription has no dead-letter queue");
      return undefined;
    }
    const queue = this.stores.queueByArn(target);
    const refusal = refusalOf(verdicts, target) ?? sqsRefusal(queue, subscription, publication);
    if (refusal) {
      line(`the message is discarded because the dead-letter queue ${target} cannot take it: ${refusal}`);
      return undefined;
    }
    line(`the message went to the subscription's dead-letter queue ${target}`);
    return queue;
  }

  /** Accepted all the same, and not delivered. https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html */
  private isDuplicate(topicArn: string, scopedDeduplicationId: string | undefined): boolean {
    const scope = this.stores.snsStore.getTopic(topicArn)?.attributes["FifoThroughputScope"];
    if (scopedDeduplicationId === undefined) return false;
    return !this.deduplication.takes(topicArn, scopedDeduplicationId, scope, Date.now());
  }

  private async verdict(topicArn: string, queueArn: string): Promise<Verdict> {
    const queue = this.stores.queueByArn(queueArn);
    if (!queue) return { refusal: "the queue does not exist", record: () => undefined };
    if (usesManagedKey(queue)) return { refusal: managedKeyRefusal, record: () => undefined };
    return this.judge(topicArn, queue);
  }
}

/** Whether SNS may send a topic's messages to a queue, known before any is sent. */
export interface Verdict {
  /** Why it cannot; undefined where it can. */
  refusal: string | undefined;
  /** Records the decision as a call. */
  record: () => void;
}

/** By queue ARN. */
type Verdicts = Map<string, Verdict>;

/** A request to publish, while fauxqs handles it. */
interface PublishContext {
  verdicts: Verdicts;
  /** The messages that fauxqs has not announced yet. */
  entries: PublishEntry[];
  publication?: Publication;
  /** The message that fauxqs announced last. */
  entry?: PublishEntry;
  /** Whether its topic has taken the same one shortly before. */
  isDuplicate?: boolean;
}

export function scopeOf(filterPolicyScope: string | undefined): FilterPolicyScope {
  return filterPolicyScope === "MessageBody" ? "MessageBody" : "MessageAttributes";
}

function refusalOf(verdicts: Verdicts, queueArn: string): string | undefined {
  const verdict = verdicts.get(queueArn);
  verdict?.record();
  return verdict?.refusal;
}

/** Why SQS refuses a message. SNS's envelope has no attributes, and escapes control characters. */
function sqsRefusal(
  queue: SqsQueue | undefined,
  subscription: SnsSubscription,
  { body, messageAttributes }: Publication,
): string | undefined {
  const isRaw = subscription.attributes["RawMessageDelivery"] === "true";
  const sent = isRaw ? { body, attributes: messageAttributes } : { body: JSON.stringify(body), attributes: {} };
  return sqsRefusalOf(sent.body, sent.attributes, Number(queue?.attributes["MaximumMessageSize"]));
}

function deadLetterTargetArn({ attributes }: SnsSubscription): string | undefined {
  const redrivePolicy = attributes["RedrivePolicy"];
  return redrivePolicy ? (JSON.parse(redrivePolicy) as { deadLetterTargetArn: string }).deadLetterTargetArn : undefined;
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html */
export const managedKeyRefusal =
  "the queue is encrypted with the AWS managed key alias/aws/sqs, which SNS cannot use: " +
  "set sqsManagedSseEnabled, or kmsMasterKeyId to a customer key";

export function usesManagedKey(queue: SqsQueue): boolean {
  return queue.attributes["KmsMasterKeyId"] === "alias/aws/sqs";
}
