import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyReply, FastifyRequest } from "fastify";
import { account, arn, region } from "../account";
import type { Trace } from "../trace";
import { AwsError } from "./awsError";
import { FanOut, managedKeyRefusal, usesManagedKey } from "./fanOut";
import { loadFauxqs, type Publication, type SnsStore, type SqsQueue, type SqsStore } from "./fauxqs";
import { checkQueueAttributes } from "./queueAttributes";
import { prepareSqsRequest } from "./sqsRequests";

export interface MessagingOptions {
  trace: Trace;
  /** Divides visibility timeouts and delays, never retention: a back-off of 60 s takes 1 s at 60. @default real time */
  timeScale?: number;
  /** Takes what SNS does not tell a publisher: which message reached which queue not, and why. */
  log: (line: string) => void;
}

type Attributes = Record<string, string>;

/**
 * SNS and SQS on one machine: fauxqs with what it leaves out in front of it. Serves SDK clients and the AWS CLI at
 * `endpoint`, and refuses what AWS refuses. Topic policies and redrive allow policies are kept, but not enforced.
 */
export class Messaging {
  private constructor(
    /** Where SNS and SQS clients connect: `http://127.0.0.1:PORT`. */
    readonly endpoint: string,
    private readonly stores: { sqsStore: SqsStore; snsStore: SnsStore },
    /** Ends long polls and every connection. */
    readonly close: () => Promise<void>,
  ) {}

  static async start({ trace, timeScale = 1, log }: MessagingOptions): Promise<Messaging> {
    const { buildApp, SqsStore, SnsStore } = await loadFauxqs();
    const receiver = new AsyncLocalStorage<FastifyRequest>();
    const snsStore = new SnsStore();
    let endpoint = "";

    class LocalSqsStore extends SqsStore {
      override createQueue(...args: Parameters<SqsStore["createQueue"]>): SqsQueue {
        const queue = super.createQueue(...args);
        // fauxqs goes on waiting for a client that has hung up; the message it would receive were invisible to all others.
        const dequeue = queue.dequeue.bind(queue);
        queue.dequeue = (...options) => (hasHungUp(receiver.getStore()) ? [] : dequeue(...options));
        // fauxqs spares a topic's messages the delay that the queue gives every message.
        const enqueue = queue.enqueue.bind(queue);
        queue.enqueue = (message) => {
          const delayMs = (Number(queue.attributes["DelaySeconds"]) * 1000) / timeScale;
          enqueue(fanOut.isPublishing && delayMs > 0 ? { ...message, delayUntil: Date.now() + delayMs } : message);
        };
        return queue;
      }

      override getQueueByArn(queueArn: string): SqsQueue | undefined {
        return fanOut.isPublishing ? fanOut.destination(queueArn) : super.getQueueByArn(queueArn);
      }

      /** Outside of what is being published: the queue itself. */
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
    const fanOut = new FanOut({ snsStore, queueByArn }, SqsStore.createMessage.bind(SqsStore), trace, log);
    const spy = { addMessage: (publication: Publication) => fanOut.begin(publication) };
    snsStore.spy = spy as unknown as SnsStore["spy"];

    const stores = { sqsStore, snsStore } as unknown as NonNullable<Parameters<typeof buildApp>[0]>["stores"];
    const app = buildApp({ logger: false, defaultRegion: region, stores });
    app.addHook("preHandler", (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      const body = request.body as Record<string, unknown>;
      const snsAction = String(body?.["Action"]);
      if (snsAction === "Publish" || snsAction === "PublishBatch") return fanOut.publishing(done);
      const sqsAction = /^AmazonSQS\.(.+)$/.exec(String(request.headers["x-amz-target"]))?.[1];
      if (!sqsAction) return done();
      try {
        prepareSqsRequest(sqsAction, body, {
          queueByUrl: (url) => sqsStore.getQueue(url),
          queueExists: (queueArn) => queueByArn(queueArn) !== undefined,
          timeScale,
          trace,
        });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        return refuse(reply, error);
      }
      receiver.run(request, done);
    });
    // Never 0.0.0.0: nothing here asks for credentials.
    endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
    return new Messaging(endpoint, { sqsStore, snsStore }, () => app.close());
  }

  /** @throws AwsError where SQS refuses the attributes, or where a queue of that name exists. */
  createQueue(name: string, attributes: Attributes): { url: string; arn: string } {
    const queueArn = arn("sqs", name);
    if (this.hasQueue(queueArn)) throw new AwsError("QueueAlreadyExists", `A queue named ${name} already exists.`);
    checkQueueAttributes(name, attributes, (target) => this.hasQueue(target));
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
    checkQueueAttributes(queue.name, attributes, (target) => this.hasQueue(target));
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
    return this.stores.sqsStore.getQueueByArn(queueArn) !== undefined;
  }

  deleteQueue(url: string): void {
    this.stores.sqsStore.deleteQueue(url);
  }

  createTopic(name: string, attributes: Attributes): string {
    return this.stores.snsStore.createTopic(
      name,
      { ...(name.endsWith(".fifo") && { FifoTopic: "true" }), ...attributes },
      undefined,
      region,
    ).arn;
  }

  /** Sets the attributes that are given; an empty text removes one. */
  setTopicAttributes(topicArn: string, attributes: Attributes): void {
    const topic = this.stores.snsStore.getTopic(topicArn);
    if (!topic) throw new AwsError("NotFound", `Topic does not exist: ${topicArn}`);
    topic.attributes = withoutEmpty({ ...topic.attributes, ...attributes });
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
    checkSubscriptionAttributes(attributes);
    if (queueArn.endsWith(".fifo") && !topicArn.endsWith(".fifo")) {
      throw invalid("Endpoint", queueArn, "FIFO SQS Queues can not be subscribed to standard SNS topics");
    }
    const queue = this.stores.sqsStore.getQueueByArn(queueArn);
    // AWS accepts the subscription, and loses every message: an error at once tells more.
    if (queue && usesManagedKey(queue)) throw invalid("Endpoint", queueArn, managedKeyRefusal);
    const subscription = this.stores.snsStore.subscribe(topicArn, "sqs", queueArn, attributes);
    if (!subscription) throw new AwsError("NotFound", `Topic does not exist: ${topicArn}`);
    return subscription.arn;
  }

  /** Sets the attributes that are given; an empty text removes one. */
  setSubscriptionAttributes(subscriptionArn: string, attributes: Attributes): void {
    checkSubscriptionAttributes(attributes);
    const subscription = this.stores.snsStore.getSubscription(subscriptionArn);
    if (!subscription) throw new AwsError("NotFound", `Subscription does not exist: ${subscriptionArn}`);
    subscription.attributes = withoutEmpty({ ...subscription.attributes, ...attributes });
  }

  unsubscribe(subscriptionArn: string): void {
    this.stores.snsStore.unsubscribe(subscriptionArn);
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

/** The JSON protocol's error, as the SDK reads it. */
function refuse(reply: FastifyReply, { code, reason }: AwsError): void {
  void reply
    .status(400)
    .header("content-type", "application/x-amz-json-1.0")
    .header("x-amzn-query-error", `${code};Sender`)
    .send(JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: reason }));
}

function checkSubscriptionAttributes({ RedrivePolicy, FilterPolicy }: Attributes): void {
  if (FilterPolicy && !isObject(FilterPolicy)) throw invalid("FilterPolicy", FilterPolicy, "it is not a JSON object");
  if (!RedrivePolicy) return;
  const target = isObject(RedrivePolicy) && (JSON.parse(RedrivePolicy) as Attributes)["deadLetterTargetArn"];
  if (typeof target !== "string" || !target.startsWith("arn:")) {
    throw invalid("RedrivePolicy", RedrivePolicy, "its deadLetterTargetArn is not the ARN of a queue");
  }
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function invalid(parameter: string, value: string, reason: string): AwsError {
  return new AwsError("InvalidParameter", `Invalid parameter: ${parameter} ${value} Reason: ${reason}`);
}

function withoutEmpty(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}
