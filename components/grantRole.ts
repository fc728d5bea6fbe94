import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument, type PolicyStatement } from "./callbackFunction";
import { checkedInput, problemText } from "./refuse";

/** Gives a role that is not the relay's an inline policy of that name. @param role The role, or its name. */
export function grantRole(
  name: string,
  role: pulumi.Input<string | aws.iam.Role>,
  statements: PolicyStatement[],
  parent: pulumi.Resource,
): aws.iam.RolePolicy {
  const roleName = typeof role === "string" ? role : nameOf(role);
  return new aws.iam.RolePolicy(
    name,
    { role: checkedInput("role", roleName, roleNameProblem), policy: policyDocument(statements) },
    { parent },
  );
}

function nameOf(role: pulumi.Input<string | aws.iam.Role>): pulumi.Output<string> {
  return pulumi.output(role).apply((given) => pulumi.output(typeof given === "string" ? given : given.name));
}

function roleNameProblem(name: unknown): string | undefined {
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
  return typeof name === "string" && /^[\w+=,.@-]{1,64}$/.test(name)
    ? undefined
    : problemText(name, "a role, or its name of up to 64 letters, digits and _+=,.@-", "give the name, not the ARN");
}
