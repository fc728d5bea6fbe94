import { AccessDeniedError } from "./invoker";

/** One statement of a function's resource policy, in the words of `lambda:AddPermission`. */
export interface Permission {
  statementId: string;
  action: string;
  principal: string;
  /** @default any resource of the principal */
  sourceArn?: string;
  /** @default any account */
  sourceAccount?: string;
}

/** Who invokes: a service, on behalf of one of its resources. */
export interface Caller {
  principal: string;
  sourceArn: string;
}

/** Throws `AccessDeniedError` unless one of `permissions` allows `caller` to invoke the function. */
export function checkPermission(functionArn: string, permissions: Iterable<Permission>, caller: Caller): void {
  if (![...permissions].some((permission) => allows(permission, caller))) {
    throw new AccessDeniedError(
      `${caller.principal} is not authorized to perform lambda:InvokeFunction on ${functionArn} ` +
        `for ${caller.sourceArn}: no permission of the function has this principal and a source ARN that matches. ` +
        `Add an aws.lambda.Permission.`,
    );
  }
}

function allows(permission: Permission, caller: Caller): boolean {
  return (
    ["lambda:InvokeFunction", "lambda:*"].includes(permission.action) &&
    permission.principal === caller.principal &&
    (permission.sourceArn === undefined || arnLike(permission.sourceArn, caller.sourceArn)) &&
    (permission.sourceAccount === undefined || permission.sourceAccount === arnParts(caller.sourceArn)[4])
  );
}

/**
 * IAM's `ArnLike`: `*` and `?` match within each of the six colon-delimited parts.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
 */
export function arnLike(pattern: string, arn: string): boolean {
  const parts = arnParts(arn);
  const patterns = arnParts(pattern);
  return patterns.length === parts.length && patterns.every((part, index) => wildcard(part).test(parts[index] ?? ""));
}

/** The sixth part may hold colons of its own. */
function arnParts(arn: string): string[] {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), parts.slice(5).join(":")];
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
