import type { Iam } from "../iam/iam";
import { AccessDeniedError } from "./invoker";

/** A permission in the words of `lambda:AddPermission`. */
export interface Permission {
  statementId: string;
  action: string;
  principal: string;
  /** @default any resource of the principal */
  sourceArn?: string;
  /** @default any account */
  sourceAccount?: string;
}

/** One statement of a function's resource policy. */
export interface PolicyStatement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal: unknown;
  Action: string;
  Resource: string;
  Condition?: Record<string, Record<string, string>>;
}

/** Who invokes: a service, on behalf of one of its resources. */
export interface Caller {
  principal: string;
  sourceArn: string;
}

/** What Lambda makes of a permission. https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html */
export function statementOf(functionArn: string, permission: Permission): PolicyStatement {
  const { statementId, action, principal, sourceArn, sourceAccount } = permission;
  const condition = {
    ...(sourceArn !== undefined && { ArnLike: { "AWS:SourceArn": sourceArn } }),
    ...(sourceAccount !== undefined && { StringEquals: { "AWS:SourceAccount": sourceAccount } }),
  };
  return {
    Sid: statementId,
    Effect: "Allow",
    Principal: principal === "*" ? "*" : principal.includes(".") ? { Service: principal } : { AWS: principal },
    Action: action,
    Resource: functionArn,
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

/** Throws `AccessDeniedError` unless the function's policy allows `caller` to invoke it. */
export async function checkPermission(
  iam: Iam,
  functionArn: string,
  policy: readonly PolicyStatement[],
  { principal: service, sourceArn }: Caller,
): Promise<void> {
  const decision = await iam.decide({
    principal: { kind: "service", service, sourceArn },
    action: "lambda:InvokeFunction",
    resource: functionArn,
    resourcePolicy: policy.length > 0 ? JSON.stringify({ Version: "2012-10-17", Statement: policy }) : undefined,
  });
  if (decision.allowed) return;
  throw new AccessDeniedError(
    `${service} is not authorized to perform lambda:InvokeFunction on ${functionArn} for ${sourceArn}: ` +
      ("unusable" in decision
        ? decision.reason
        : "no permission of the function has this principal and a source ARN that matches. Add an aws.lambda.Permission."),
  );
}
