import * as pulumi from "@pulumi/pulumi";
import { accountIdProblem } from "../args/foreignPublisherArgs";
import { refuse, refuseProblem, refuseUnknownKeys, refuseUnlessList, refuseUnlessObject } from "../args/refuse";
import { isText } from "../args/values";
import type { PolicyStatement } from "../lambda/callbackFunction";

/**
 * What a caller of each service must be allowed to do with the key. DynamoDB: the same for reading and writing, since it
 * decrypts the table's key for every caller.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
const keyActions = {
  dynamodb: ["kms:Decrypt"],
  /** A producer's rights include a consumer's. */
  sqs: ["kms:GenerateDataKey", "kms:Decrypt"],
  sns: ["kms:GenerateDataKey", "kms:Decrypt"],
};
const services = Object.keys(keyActions) as (keyof typeof keyActions)[];

/** The rights to the relay's key that a role with these statements needs as well, one for each service; none without a key. */
export function keyStatements(
  kmsKeyArn: pulumi.Input<string> | undefined,
  statements: PolicyStatement[],
): PolicyStatement[] {
  if (kmsKeyArn === undefined) return [];
  const actions = statements.flatMap(({ Action }) => Action);
  const called = services.filter((service) => actions.some((action) => action.startsWith(`${service}:`)));
  return called.map((service) => {
    // Of this form in every partition. https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    const viaService = pulumi.output(kmsKeyArn).apply((arn) => `${service}.${arn.split(":")[3]}.amazonaws.com`);
    return {
      Action: keyActions[service],
      Resource: [kmsKeyArn],
      Condition: { StringEquals: { "kms:ViaService": viaService } },
    };
  });
}

export interface KmsKeyPolicyArgs {
  /** The account of the relay. */
  accountId: string;
  /** The region of the relay and of the key. */
  region: string;
  /** As `aws.getPartition` answers it. @default "aws" */
  partition?: string;
  /** As `aws.getPartition` answers it. @default "amazonaws.com" */
  dnsSuffix?: string;
  /** The relay's `topicArn`, where the topic is yours. @default any topic of the account and region */
  topicArn?: string;
  /** The relay's own argument: publishing to an encrypted topic uses its key. @default none */
  publisherAccountIds?: string[];
  /** The relay's own argument. @default none */
  publisherOrganizationIds?: string[];
}

const keyPolicyKeys: (keyof KmsKeyPolicyArgs)[] = [
  "accountId",
  "region",
  "partition",
  "dnsSuffix",
  "topicArn",
  "publisherAccountIds",
  "publisherOrganizationIds",
];

export interface KmsKeyPolicyStatement {
  Sid: string;
  Effect: "Allow";
  Principal: "*" | Record<string, string | string[]>;
  Action: string[];
  Resource: "*";
  Condition: Record<string, Record<string, string | string[]>>;
}

/**
 * Statements that the policy of the relay's `kmsKeyArn` must contain besides a key's default statement, which lets the
 * account's own policies allow the key's use (the relay's roles have theirs). They allow SNS, which writes to encrypted
 * queues, and CloudWatch Logs, each for the relay's account and region only. Without the one for SNS, messages are lost
 * although SNS has accepted them: it can write neither to the retry queue nor, unless `subscriptionDeadLetterQueueSse` is "sqs",
 * to the subscription's dead-letter queue. DynamoDB and Lambda use grants, which the deploying role
 * creates: that takes `kms:CreateGrant`, `kms:DescribeKey`, `kms:Encrypt`, `kms:Decrypt`, `kms:ReEncrypt*` and `kms:GenerateDataKey*`.
 *
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function kmsKeyPolicyStatements(args: KmsKeyPolicyArgs): KmsKeyPolicyStatement[] {
  refuseUnlessObject("args", args, "an object with accountId and region", "pass one");
  refuseUnknownKeys("", args, keyPolicyKeys);
  refuseProblem("accountId", accountIdProblem(args.accountId));
  if (!isText(args.region)) refuse("region", args.region, "the relay's region", 'write it as "eu-west-1"');
  for (const key of ["publisherAccountIds", "publisherOrganizationIds"] as const) {
    refuseUnlessList(key, args[key] ?? [], "texts");
  }
  const { accountId, region, partition = "aws", dnsSuffix = "amazonaws.com" } = args;
  const { topicArn = `arn:${partition}:sns:${region}:${accountId}:*` } = args;
  const allow = { Effect: "Allow", Resource: "*" } as const;
  const viaSns = { "kms:ViaService": `sns.${region}.amazonaws.com` };
  const statements: KmsKeyPolicyStatement[] = [
    {
      ...allow,
      Sid: "WebsocketRelayTopicToQueues",
      Principal: { Service: "sns.amazonaws.com" },
      Action: keyActions.sqs,
      // The ARN names the account, too; that SNS tells KMS the account itself is not documented.
      Condition: { ArnLike: { "aws:SourceArn": topicArn } },
    },
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    {
      ...allow,
      Sid: "WebsocketRelayLogs",
      Principal: { Service: `logs.${region}.${dnsSuffix}` },
      Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
      Condition: {
        ArnLike: { "kms:EncryptionContext:aws:logs:arn": `arn:${partition}:logs:${region}:${accountId}:log-group:*` },
      },
    },
  ];
  if (args.publisherAccountIds?.length) {
    statements.push({
      ...allow,
      Sid: "WebsocketRelayPublisherAccounts",
      Principal: { AWS: args.publisherAccountIds.map((id) => `arn:${partition}:iam::${id}:root`) },
      Action: keyActions.sns,
      Condition: { StringEquals: viaSns },
    });
  }
  if (args.publisherOrganizationIds?.length) {
    statements.push({
      ...allow,
      Sid: "WebsocketRelayPublisherOrganizations",
      Principal: "*",
      Action: keyActions.sns,
      Condition: { StringEquals: { ...viaSns, "aws:PrincipalOrgID": args.publisherOrganizationIds } },
    });
  }
  return statements;
}
