import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { requireComputed } from "../args/requireComputed";
import { denyWithoutTls } from "./denyWithoutTls";

/** Accounts and organizations besides the topic's own that may publish to it. */
export interface TopicPublishers {
  accountIds: pulumi.Input<string>[];
  organizationIds: pulumi.Input<string>[];
}

/**
 * The policy of a topic: who may publish besides its account, and that nothing is allowed without TLS.
 *
 * @param topicName The topic's name in the program, which begins the policy's.
 */
export function topicPolicy(
  topicName: string,
  topic: aws.sns.Topic,
  { accountIds, organizationIds }: TopicPublishers,
  opts: pulumi.CustomResourceOptions,
): aws.sns.TopicPolicy {
  const policy = pulumi.all([topic.arn, accountIds, organizationIds]).apply(([arn, accounts, organizations]) => {
    const topicArn = requireComputed(arn, `arn of ${topicName}`);
    return {
      Version: "2012-10-17",
      Statement: [
        ownerStatement(topicArn),
        ...publisherStatements(topicArn, accounts, organizations),
        denyWithoutTls(ownerActions, topicArn),
      ],
    };
  });
  return new aws.sns.TopicPolicy(`${topicName}-policy`, { arn: topic.arn, policy: pulumi.jsonStringify(policy) }, opts);
}

/**
 * The actions that SNS itself puts into the policy of a new topic. Not a wildcard: a topic's policy takes only certain actions.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
 */
const ownerActions = [
  "SNS:GetTopicAttributes",
  "SNS:SetTopicAttributes",
  "SNS:AddPermission",
  "SNS:RemovePermission",
  "SNS:DeleteTopic",
  "SNS:Subscribe",
  "SNS:ListSubscriptionsByTopic",
  "SNS:Publish",
];

/**
 * The owner's rights: a policy replaces the one that SNS gives a new topic, so it repeats them.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
 */
function ownerStatement(topicArn: string): object {
  return {
    Sid: "__default_statement_ID",
    Effect: "Allow",
    Principal: { AWS: "*" },
    Action: ownerActions,
    Resource: topicArn,
    Condition: { StringEquals: { "AWS:SourceOwner": topicArn.split(":")[4] } },
  };
}

function publisherStatements(topicArn: string, accountIds: string[], organizationIds: string[]): object[] {
  const partition = topicArn.split(":")[1];
  const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topicArn };
  const statements: object[] = [];
  if (accountIds.length > 0) {
    const accounts = accountIds.map((id) => `arn:${partition}:iam::${id}:root`);
    statements.push({ ...publish, Sid: "PublisherAccounts", Principal: { AWS: accounts } });
  }
  if (organizationIds.length > 0) {
    statements.push({
      ...publish,
      Sid: "PublisherOrganizations",
      Principal: { AWS: "*" },
      Condition: { StringEquals: { "aws:PrincipalOrgID": organizationIds } },
    });
  }
  return statements;
}
