import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** The queues' longest retention. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const maxMessageRetentionSeconds = 1_209_600;

export interface PublisherArgs {
  /** How long the retry queue hides a message from others while a function has it: it only covers a crashed function. */
  visibilityTimeoutSeconds: number;
  messageRetentionSeconds: number;
  /** Receives after which the queue itself moves a message, unchanged and without a reason: the net for crashes. */
  maxReceiveCount: number;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The way in: the topic that backends publish to, its retry queue, and the dead-letter queues of both. */
export class Publisher extends pulumi.ComponentResource {
  readonly topic: aws.sns.Topic;
  readonly queue: aws.sqs.Queue;
  readonly deadLetterQueue: aws.sqs.Queue;
  readonly subscriptionDeadLetterQueue: aws.sqs.Queue;
  readonly queuePolicy: aws.sqs.QueuePolicy;
  readonly subscriptionDeadLetterQueuePolicy: aws.sqs.QueuePolicy;
  readonly subscription: aws.sns.TopicSubscription;

  constructor(name: string, args: PublisherArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Publisher", `${name}-publisher`, {}, opts);
    const { tags } = args;

    this.topic = new aws.sns.Topic(`${name}-topic`, { tags }, { parent: this });

    // A redriven message keeps its enqueue time: a dead-letter queue must retain longer than its source.
    const deadLetterQueueArgs = {
      messageRetentionSeconds: maxMessageRetentionSeconds,
      // SNS cannot use the AWS-managed SQS key. https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
      sqsManagedSseEnabled: true,
      tags,
    };
    this.deadLetterQueue = new aws.sqs.Queue(`${name}-dead-letter-queue`, deadLetterQueueArgs, { parent: this });
    this.subscriptionDeadLetterQueue = new aws.sqs.Queue(
      `${name}-subscription-dead-letter-queue`,
      deadLetterQueueArgs,
      { parent: this },
    );

    this.queue = new aws.sqs.Queue(
      `${name}-queue`,
      {
        visibilityTimeoutSeconds: args.visibilityTimeoutSeconds,
        messageRetentionSeconds: args.messageRetentionSeconds,
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: this.deadLetterQueue.arn,
          maxReceiveCount: args.maxReceiveCount,
        }),
        sqsManagedSseEnabled: true,
        tags,
      },
      { parent: this },
    );

    this.queuePolicy = this.allowTopic(`${name}-queue-policy`, this.queue);
    this.subscriptionDeadLetterQueuePolicy = this.allowTopic(
      `${name}-subscription-dead-letter-queue-policy`,
      this.subscriptionDeadLetterQueue,
    );

    this.subscription = new aws.sns.TopicSubscription(
      `${name}-subscription`,
      {
        topic: this.topic.arn,
        protocol: "sqs",
        endpoint: this.queue.arn,
        rawMessageDelivery: true,
        // SNS does not retry what is the client's fault (a policy denies, the queue is gone): it would be lost.
        redrivePolicy: pulumi.jsonStringify({ deadLetterTargetArn: this.subscriptionDeadLetterQueue.arn }),
      },
      { parent: this, dependsOn: [this.queuePolicy, this.subscriptionDeadLetterQueuePolicy] },
    );

    this.registerOutputs({ topicArn: this.topic.arn });
  }

  private allowTopic(name: string, queue: aws.sqs.Queue): aws.sqs.QueuePolicy {
    return new aws.sqs.QueuePolicy(
      name,
      {
        queueUrl: queue.url,
        policy: pulumi.jsonStringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "sns.amazonaws.com" },
              Action: "sqs:SendMessage",
              Resource: queue.arn,
              Condition: { ArnEquals: { "aws:SourceArn": this.topic.arn } },
            },
          ],
        }),
      },
      { parent: this },
    );
  }
}
