import type { Iam } from "../../../local/iam/iam";
import { type Role, roleArn } from "../../../local/iam/roles";

/** One statement of a policy. */
export interface Statement {
  Effect?: "Allow" | "Deny";
  Principal?: unknown;
  Action: string | string[];
  Resource?: string | string[];
  Condition?: unknown;
}

/** A policy of statements that allow, unless they say otherwise. */
export function policyOf(...statements: Statement[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...statement })),
  });
}

/** A role that Lambda may assume, and that these statements allow something. */
export function registerRole(iam: Iam, name: string, ...statements: Statement[]): Role {
  const assumeRolePolicy = policyOf({ Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" });
  const role = { name, arn: roleArn(name), assumeRolePolicy };
  iam.roles.put(role);
  if (statements.length > 0) iam.roles.putInlinePolicy(name, "policy", policyOf(...statements));
  return role;
}

export const everything: Statement = { Action: "*", Resource: "*" };
