import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyRequest } from "fastify";
import { account, arn, region } from "../account";
import { type AccessRequest, Iam, type Principal } from "../iam/iam";
import type { PolicyEntry, PolicyHolder } from "../iam/policies";
import type { Trace } from "../trace/trace";
import { MessagingAccess } from "./access";
import { admitRequests } from "./admission";
import { AwsError } from "./awsError";
import { Cooldown } from "./cooldown";
import { withoutGroup } from "./deduplication";
import { FanOut } from "./fanOut";
import {
  loadFauxqs,
  type Publication,
  type SnsStore,
  type SnsSubscription,
  type SqsQueue,
  type SqsStore,
} from "./fauxqs";
import { keepGroupsInOrder } from "./fifoQueue";
import { MessageGroups } from "./messageGroups";
import { checkQueueName, checkTopicName } from "./names";
import { checkQueueAttributes } from "./queueAttributes";
import { ReceiptHandles } from "./receiptHandles";
import { checkSubscription, checkSubscriptionAttributes, checkTopicAttributes } from "./topicAttributes";

export interface MessagingOptions {
  trace: Trace;
  /**
   * Divides visibility timeouts, delays and the pause after a purge, never retention: a back-off of 60 s takes 1 s at 60.
   * @default real time
   */
  timeScale?: number;
  /** Receives failed deliveries, of which SNS does not notify the publisher: the queue, and why. */
  log: (line: string) => void;
  /** Authorizes every request, and deliveries by SNS. @default one without any role */
  iam?: Iam;
}

type Attributes = Record<string, string>;

/**
 * The pause before a queue can be purged again, or a deleted queue's name be used again.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
 */
const reuseDelayMs = 60_000;

/**
 * SNS and SQS on one machine: fauxqs, with the checks that it lacks in front of it. Serves SDK clients and the AWS CLI at
 * `endpoint`, and refuses what AWS refuses; docs/local-run.md lists the differences from AWS.
 */
export class Messaging implements PolicyHolder {
  private constructor(
    /** Where SNS and SQS clients connect: `http://127.0.0.1:PORT`. */
    readonly endpoint: string,
    private readonly stores: { sqsStore: SqsStore; snsStore: SnsStore },
    private readonly access: MessagingAccess,
    /** Ends long polls and every connection. */
    readonly close: () => Promise<void>,
  ) {}

  static async start({ trace, timeScale = 1, log, iam = new Iam() }: MessagingOptions): Promise<Messaging> {
    const { buildApp, SqsStore, SnsStore } = await loadFauxqs();
    const receiver = new AsyncLocalStorage<FastifyRequest>();
    const groups = new MessageGroups();
    const receiptHandles = new ReceiptHandles(timeScale);
    let endpoint = "";

    class LocalSnsStore extends SnsStore {
      override getSubscription(subscriptionArn: string): SnsSubscription | undefined {
        const subscription = super.getSubscription(subscriptionArn);
        return subscription && fanOut.isPublishing ? fanOut.judged(subscription) : subscription;
      }
    }
    const snsStore = new LocalSnsStore();

    class LocalSqsStore extends SqsStore {
      override createQueue(...args: Parameters<SqsStore["createQueue"]>): SqsQueue {
        const queue = super.createQueue(...args);
        if (queue.isFifo()) keepGroupsInOrder(queue);
        // fauxqs goes on waiting for a client that has hung up; the message that it received would be invisible to other clients.
        const dequeue = queue.dequeue.bind(queue);
        queue.dequeue = (...options) => (hasHungUp(receiver.getStore()) ? [] : dequeue(...options));
        receiptHandles.sign(queue);
        // fauxqs does not apply the queue's delay to messages of a topic.
        const enqueue = queue.enqueue.bind(queue);
        queue.enqueue = (message) => {
          if (queue.isFifo()) {
            message.messageGroupId ??= fanOut.messageGroupId;
            message.sequenceNumber ??= queue.nextSequenceNumber();
            if (message.messageDeduplicationId !== undefined)
              message.messageDeduplicationId = withoutGroup(message.messageDeduplicationId);
          } else if (fanOut.isPublishing) {
            message.messageGroupId = fanOut.messageGroupIdOfStandardTopic;
            message.messageDeduplicationId = undefined;
          } else {
            message.messageGroupId ??= groups.of(message);
          }
          const delayMs = (Number(queue.attributes["DelaySeconds"]) * 1000) / timeScale;
          enqueue(fanOut.isPublishing && delayMs > 0 ? { ...message, delayUntil: Date.now() + delayMs } : message);
        };
        return queue;
      }

      override getQueueByArn(queueArn: string): SqsQueue | undefined {
        return fanOut.isPublishing ? fanOut.destination(queueArn) : super.getQueueByArn(queueArn);
      }

      /** Outside of a publication: the queue itself. */
      queueByArn(queueArn: string): SqsQueue | undefined {
        return super.getQueueByArn(queueArn);
      }

      /** fauxqs names `sqs.us-east-1.localhost`, which does not resolve everywhere. */
      override buildQueueUrl(queueName: string): string {
        return `${endpoint}/${account}/${queueName}`;
      }
    }

    const sqsStore = new LocalSqsStore();
    const queueByArn = (queueArn: string) => sqsStore.queueByArn(queueArn);
    const queueByUrl = (url: string) => sqsStore.getQueue(url);
    const access = new MessagingAccess(iam, { snsStore, queueByArn, queueByUrl });
    const judge = (topicArn: string, queue: SqsQueue) => access.judgeDelivery(topicArn, queue);
    const fanOut = new FanOut({ snsStore, queueByArn }, judge, trace, log);
    const spy = { addMessage: (publication: Publication) => fanOut.begin(publication) };
    snsStore.spy = spy as unknown as SnsStore["spy"];

    const stores = { sqsStore, snsStore } as unknown as NonNullable<Parameters<typeof buildApp>[0]>["stores"];
    const app = buildApp({ logger: false, defaultRegion: region, stores });
    const purged = new Cooldown(reuseDelayMs / timeScale);
    const deleted = new Cooldown(reuseDelayMs / timeScale);
    const sqsContext = { queueByUrl, queueByArn, groups, receiptHandles, purged, deleted, timeScale, trace };
    const snsContext = { queueByArn, subscription: (of: string) => snsStore.getSubscription(of) };
    const topicAttributes = (topicArn: string) => snsStore.getTopic(topicArn)?.attributes;
    admitRequests(app, { iam, access, fanOut, receiver, sqsContext, snsContext, topicAttributes });
    // Never 0.0.0.0: no credentials are checked here.
    endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
    return new Messaging(endpoint, { sqsStore, snsStore }, access, () => app.close());
  }

  /** The rights that an action of SQS on a queue needs. */
  accessTo(principal: Principal, action: string, queueArn: string): AccessRequest[] {
    return this.access.ofQueue(principal, action, queueArn);
  }

  policies(): PolicyEntry[] {
    const { sqsStore, snsStore } = this.stores;
    return [...sqsStore.listQueues(), ...snsStore.listTopics()].flatMap(({ arn: of, attributes }) => {
      const policy = attributes["Policy"];
      return policy ? [{ of, document: JSON.parse(policy) as unknown }] : [];
    });
  }

  setPolicy(of: string, _name: string | undefined, document = ""): boolean {
    if (this.hasQueue(of)) this.setQueueAttributes(this.queueUrl(of), { Policy: document });
    else if (this.stores.snsStore.getTopic(of)) this.setTopicAttributes(of, { Policy: document });
    else return false;
    return true;
  }

  /** @throws AwsError where SQS refuses the attributes, or where a queue of that name exists. */
  createQueue(name: string, attributes: Attributes): { url: string; arn: string } {
    const queueArn = arn("sqs", name);
    checkQueueName(name, name.endsWith(".fifo"));
    if (this.hasQueue(queueArn)) throw new AwsError("QueueAlreadyExists", `A queue named ${name} already exists.`);
    checkQueueAttributes(name, attributes, (target) => this.queueByArn(target));
    const url = this.queueUrl(queueArn);
    this.stores.sqsStore.createQueue(name, url, queueArn, {
      ...(name.endsWith(".fifo") && { FifoQueue: "true" }),
      ...attributes,
    });
    return { url, arn: queueArn };
  }

  /** Sets the attributes that are given; an empty text removes one. */
  setQueueAttributes(url: string, attributes: Attributes): void {
    const queue = this.queue(url);
    checkQueueAttributes(queue.name, attributes, (target) => this.queueByArn(target));
    queue.setAttributes(attributes);
    queue.attributes = withoutEmpty(queue.attributes);
  }

  queueAttributes(url: string): Attributes {
    return { ...this.queue(url).attributes };
  }

  /** The URL of a queue by its ARN, whether it exists or not. */
  queueUrl(queueArn: string): string {
    return this.stores.sqsStore.buildQueueUrl(queueArn.slice(queueArn.lastIndexOf(":") + 1), "", "", region);
  }

  hasQueue(queueArn: string): boolean {
    return this.queueByArn(queueArn) !== undefined;
  }

  deleteQueue(url: string): void {
    this.stores.sqsStore.deleteQueue(url);
  }

  /** @throws AwsError where SNS refuses the attributes. */
  createTopic(name: string, attributes: Attributes): string {
    checkTopicName(name, name.endsWith(".fifo"));
    checkTopicAttributes(name, attributes);
    return this.stores.snsStore.createTopic(
      name,
      { ...(name.endsWith(".fifo") && { FifoTopic: "true" }), ...attributes },
      undefined,
      region,
    ).arn;
  }

  /** Sets the attributes that are given; an empty text removes one. */
  setTopicAttributes(topicArn: string, attributes: Attributes): void {
    checkTopicAttributes(topicArn, attributes);
    const topic = this.stores.snsStore.getTopic(topicArn);
    if (!topic) throw new AwsError("NotFound", `Topic does not exist: ${topicArn}`);
    topic.attributes = withoutEmpty({ ...topic.attributes, ...attributes });
  }

  /** The attributes of a topic; undefined where there is none of that ARN. */
  topicAttributes(topicArn: string): Attributes | undefined {
    return this.stores.snsStore.getTopic(topicArn)?.attributes;
  }

  deleteTopic(topicArn: string): void {
    this.stores.snsStore.deleteTopic(topicArn);
  }

  /**
   * Subscribes a queue; resolves with the subscription's ARN.
   *
   * @throws AwsError where SNS refuses, and for a queue that SNS could never send to.
   */
  subscribe(topicArn: string, queueArn: string, attributes: Attributes): string {
    checkSubscription(attributes, { topicArn, queueArn, queue: this.queueByArn(queueArn) });
    const subscription = this.stores.snsStore.subscribe(topicArn, "sqs", queueArn, attributes);
    if (!subscription) throw new AwsError("NotFound", `Topic does not exist: ${topicArn}`);
    return subscription.arn;
  }

  /** Sets the attributes that are given; an empty text removes one. */
  setSubscriptionAttributes(subscriptionArn: string, attributes: Attributes): void {
    const subscription = this.stores.snsStore.getSubscription(subscriptionArn);
    if (!subscription) throw new AwsError("NotFound", `Subscription does not exist: ${subscriptionArn}`);
    const { topicArn, endpoint: queueArn } = subscription;
    const changed = withoutEmpty({ ...subscription.attributes, ...attributes });
    checkSubscriptionAttributes(changed, { topicArn, queueArn });
    subscription.attributes = changed;
  }

  unsubscribe(subscriptionArn: string): void {
    this.stores.snsStore.unsubscribe(subscriptionArn);
  }

  private queueByArn(queueArn: string): SqsQueue | undefined {
    return this.stores.sqsStore.getQueueByArn(queueArn);
  }

  private queue(url: string): SqsQueue {
    const queue = this.stores.sqsStore.getQueue(url);
    if (!queue) throw new AwsError("QueueDoesNotExist", `The specified queue does not exist: ${url}`);
    return queue;
  }
}

function hasHungUp(request: FastifyRequest | undefined): boolean {
  const socket = request?.raw.socket;
  return socket !== undefined && (socket.readableEnded || socket.destroyed);
}

function withoutEmpty(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}
