/** The context keys that a request has here, in lower case as IAM compares them. */
const modelledKeys = new Set(
  [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalOrgID",
    "aws:PrincipalServiceName",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOwner",
    "kms:CallerAccount",
    "kms:ViaService",
    "sns:Endpoint",
    "sns:Protocol",
  ].map((key) => key.toLowerCase()),
);

/**
 * Refuses a policy whose conditions ask for what a request does not carry here: to leave one out could allow more than
 * AWS does. The owner in the policy that SNS gives every topic is let through as absent, for what asks for it allows
 * nothing here that is not allowed anyway; and so is a key's encryption context, but for CloudWatch Logs, whose it is.
 */
export function checkConditions(policyName: string, document: unknown): void {
  for (const { Condition } of statementsOf(document)) {
    for (const keys of Object.values(Condition ?? {})) {
      const unknown = Object.keys(keys).find((key) => !isModelled(key.toLowerCase()));
      if (unknown !== undefined) {
        throw new Error(`${policyName}: the condition key ${unknown} is not modelled in the local run`);
      }
    }
  }
}

function isModelled(key: string): boolean {
  return modelledKeys.has(key) || key.startsWith("kms:encryptioncontext:");
}

interface Statement {
  Condition?: Record<string, Record<string, unknown>>;
}

function statementsOf(document: unknown): Statement[] {
  const { Statement: statements = [] } = (document ?? {}) as { Statement?: Statement | Statement[] };
  return [statements].flat();
}
