import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { topicRegionProblem } from "../args/existingArgs";
import { refuseProblem } from "../args/refuse";
import { requireComputed } from "../args/requireComputed";
import { queueEncryption } from "./queueEncryption";
import { queuePolicy } from "./queuePolicy";
import { topicPolicy } from "./topicPolicy";

/** The queues' longest retention. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const maxMessageRetentionSeconds = 1_209_600;

const standard = { fifoTopic: {}, fifoQueue: {} };

/**
 * Throughput is counted by message group instead of the whole topic or queue, up to the region's own limits. There is no
 * content-based deduplication: it only hashes the body, and would drop a message that equals one for another user.
 * https://docs.aws.amazon.com/sns/latest/dg/fifo-high-throughput.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
 */
const fifo = {
  fifoTopic: { fifoTopic: true, fifoThroughputScope: "MessageGroup" },
  fifoQueue: { fifoQueue: true, deduplicationScope: "messageGroup", fifoThroughputLimit: "perMessageGroupId" },
};

export interface PublisherArgs {
  /** How long the retry queue hides a message that a function has received. Only matters if the function crashes. */
  visibilityTimeoutSeconds: number;
  messageRetentionSeconds: number;
  /** Receives after which the queue itself moves a message, unchanged and without a reason: the safety net for crashes. */
  maxReceiveCount: number;
  /** An existing topic. @default a topic is created */
  topicArn?: pulumi.Input<string>;
  publisherAccountIds: pulumi.Input<string>[];
  publisherOrganizationIds: pulumi.Input<string>[];
  /** @default the encryption that SNS and SQS use by default */
  kmsKeyArn?: pulumi.Input<string>;
  /** `sqs`: the subscription's dead-letter queue has SSE-SQS instead of that key, so that SNS can write to it without the key. */
  subscriptionDeadLetterQueueSse: "kms" | "sqs";
  /**
   * `strict`: the topic and all its queues are FIFO, so that each message group keeps its order; `topicArn` names a FIFO
   * topic then. A change **replaces** the topic, the queues and the subscription, and loses the messages in them.
   */
  ordering: "standard" | "strict";
  protectData: boolean;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The topic that backends publish to, its retry queue, and the dead-letter queues of both. */
export class Publisher extends pulumi.ComponentResource {
  /** The relay's own; absent if `topicArn` names an existing one. */
  readonly topic?: aws.sns.Topic;
  readonly topicArn: pulumi.Output<string>;
  /** Absent if `topicArn` names an existing topic, whose policy is its owner's. */
  readonly topicPolicy?: aws.sns.TopicPolicy;
  readonly queue: aws.sqs.Queue;
  readonly deadLetterQueue: aws.sqs.Queue;
  readonly subscriptionDeadLetterQueue: aws.sqs.Queue;
  readonly queuePolicy: aws.sqs.QueuePolicy;
  readonly deadLetterQueuePolicy: aws.sqs.QueuePolicy;
  readonly subscriptionDeadLetterQueuePolicy: aws.sqs.QueuePolicy;
  readonly subscription: aws.sns.TopicSubscription;

  constructor(name: string, args: PublisherArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Publisher", `${name}-publisher`, {}, opts);
    const { tags, kmsKeyArn, publisherAccountIds, publisherOrganizationIds } = args;
    const child = { parent: this };
    const keeper = { parent: this, protect: args.protectData || undefined };
    const { fifoTopic, fifoQueue } = args.ordering === "strict" ? fifo : standard;

    if (args.topicArn === undefined) {
      this.topic = new aws.sns.Topic(`${name}-topic`, { ...fifoTopic, kmsMasterKeyId: kmsKeyArn, tags }, keeper);
      this.topicArn = this.topic.arn;
      const publishers = { accountIds: publisherAccountIds, organizationIds: publisherOrganizationIds };
      this.topicPolicy = topicPolicy(`${name}-topic`, this.topic, publishers, child);
    } else {
      this.topicArn = pulumi.output(args.topicArn);
    }

    const encryption = queueEncryption(kmsKeyArn);
    // A redriven message keeps its enqueue time: a dead-letter queue must retain longer than its source.
    // FIFO sources, the subscription of a FIFO topic among them, take FIFO dead-letter queues only.
    // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    const deadLetterQueueArgs = { ...fifoQueue, messageRetentionSeconds: maxMessageRetentionSeconds, tags };
    this.deadLetterQueue = new aws.sqs.Queue(
      `${name}-dead-letter-queue`,
      { ...deadLetterQueueArgs, ...encryption },
      keeper,
    );
    this.subscriptionDeadLetterQueue = new aws.sqs.Queue(
      `${name}-subscription-dead-letter-queue`,
      {
        ...deadLetterQueueArgs,
        ...queueEncryption(args.subscriptionDeadLetterQueueSse === "sqs" ? undefined : kmsKeyArn),
      },
      keeper,
    );

    this.queue = new aws.sqs.Queue(
      `${name}-queue`,
      {
        ...fifoQueue,
        visibilityTimeoutSeconds: args.visibilityTimeoutSeconds,
        messageRetentionSeconds: args.messageRetentionSeconds,
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: this.deadLetterQueue.arn,
          maxReceiveCount: args.maxReceiveCount,
        }),
        ...encryption,
        tags,
      },
      keeper,
    );

    this.queuePolicy = queuePolicy(`${name}-queue`, this.queue, this.topicArn, child);
    this.deadLetterQueuePolicy = queuePolicy(`${name}-dead-letter-queue`, this.deadLetterQueue, undefined, child);
    this.subscriptionDeadLetterQueuePolicy = queuePolicy(
      `${name}-subscription-dead-letter-queue`,
      this.subscriptionDeadLetterQueue,
      this.topicArn,
      child,
    );

    this.subscription = new aws.sns.TopicSubscription(
      `${name}-subscription`,
      {
        topic: pulumi.all([this.topicArn, this.queue.arn]).apply(([topicArn, queueArn]) => {
          const arns = [
            requireComputed(topicArn, `arn of ${name}-topic`),
            requireComputed(queueArn, `arn of ${name}-queue`),
          ] as const;
          refuseProblem("topicArn", topicRegionProblem(...arns));
          return topicArn;
        }),
        protocol: "sqs",
        endpoint: this.queue.arn,
        rawMessageDelivery: true,
        // SNS does not retry client-side errors (a policy denies access, the queue is gone): the message would be lost.
        redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: this.subscriptionDeadLetterQueue.arn }),
      },
      { parent: this, dependsOn: [this.queuePolicy, this.subscriptionDeadLetterQueuePolicy] },
    );

    this.registerOutputs({ topicArn: this.topicArn });
  }
}
