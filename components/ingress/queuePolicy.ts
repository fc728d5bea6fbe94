import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { denyWithoutTls } from "./denyWithoutTls";

/**
 * The policy of a queue, which denies what is not sent over TLS. Without other statements, the policies of its account's roles
 * decide who may use it.
 *
 * @param queueName The queue's name in the program, which begins the policy's.
 * @param topicArn The topic whose messages SNS may send to the queue. @default none
 */
export function queuePolicy(
  queueName: string,
  queue: aws.sqs.Queue,
  topicArn: pulumi.Input<string> | undefined,
  opts: pulumi.CustomResourceOptions,
): aws.sqs.QueuePolicy {
  const policy = pulumi.all([queue.arn, topicArn]).apply(([queueArn, sender]) => ({
    Version: "2012-10-17",
    Statement: [...(sender === undefined ? [] : [allowTopic(sender, queueArn)]), denyWithoutTls("sqs:*", queueArn)],
  }));
  return new aws.sqs.QueuePolicy(
    `${queueName}-policy`,
    { queueUrl: queue.url, policy: pulumi.jsonStringify(policy) },
    opts,
  );
}

function allowTopic(topicArn: string, queueArn: string): object {
  return {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
  };
}
