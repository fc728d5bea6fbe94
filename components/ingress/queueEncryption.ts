import type * as pulumi from "@pulumi/pulumi";

/** The encryption of a queue: by the relay's key, if it has one. */
export function queueEncryption(kmsKeyArn: pulumi.Input<string> | undefined) {
  // SNS cannot use the AWS-managed SQS key. https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
  return kmsKeyArn === undefined ? { sqsManagedSseEnabled: true } : { kmsMasterKeyId: kmsKeyArn };
}
