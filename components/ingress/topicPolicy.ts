/**
 * The policy of a topic to which accounts and organizations besides its own may publish. A policy replaces the one that SNS
 * gives a new topic, so it repeats the owner's rights.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
 */
export function topicPolicy(
  topicArn: string,
  publishers: { accountIds: string[]; organizationIds: string[] },
): { Version: string; Statement: object[] } {
  const [, partition, , , ownerId] = topicArn.split(":");
  const publish = { Effect: "Allow", Action: "sns:Publish", Resource: topicArn };
  const statements: object[] = [
    {
      Sid: "__default_statement_ID",
      Effect: "Allow",
      Principal: { AWS: "*" },
      Action: [
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:ListSubscriptionsByTopic",
        "SNS:Publish",
      ],
      Resource: topicArn,
      Condition: { StringEquals: { "AWS:SourceOwner": ownerId } },
    },
  ];
  if (publishers.accountIds.length > 0) {
    const accounts = publishers.accountIds.map((id) => `arn:${partition}:iam::${id}:root`);
    statements.push({ ...publish, Sid: "PublisherAccounts", Principal: { AWS: accounts } });
  }
  if (publishers.organizationIds.length > 0) {
    statements.push({
      ...publish,
      Sid: "PublisherOrganizations",
      Principal: { AWS: "*" },
      Condition: { StringEquals: { "aws:PrincipalOrgID": publishers.organizationIds } },
    });
  }
  return { Version: "2012-10-17", Statement: statements };
}
