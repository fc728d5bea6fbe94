/**
 * A statement of a resource's policy that denies the actions to every caller without TLS, also to the owner's roles. A service
 * whose requests do not have the condition key is not affected.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
 */
export function denyWithoutTls(actions: string | string[], resource: string): object {
  return {
    Sid: "DenyWithoutTls",
    Effect: "Deny",
    Principal: { AWS: "*" },
    Action: actions,
    Resource: resource,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}
