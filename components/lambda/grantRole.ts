import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { checkedInput, isDeferred, problemText, refuse } from "../args/refuse";
import { policyDocument, type PolicyStatement } from "./callbackFunction";

/** Gives another role than the relay's an inline policy. @param role The result of {@link checkedRole}. */
export function grantRole(
  name: string,
  role: pulumi.Input<string>,
  statements: PolicyStatement[],
  parent: pulumi.Resource,
): aws.iam.RolePolicy {
  return new aws.iam.RolePolicy(name, { role, policy: policyDocument(statements) }, { parent });
}

/** The name of a role, given as a resource or by name. @throws pulumi.InputPropertyError if it is neither. */
export function checkedRole(role: pulumi.Input<string | aws.iam.Role>): pulumi.Input<string> {
  const name = isDeferred(role) || pulumi.Resource.isInstance(role) ? nameOf(role) : role;
  return checkedInput("role", name, roleNameProblem);
}

function nameOf(role: pulumi.Input<string | aws.iam.Role>): pulumi.Output<string> {
  return pulumi.output(role).apply((given) => pulumi.output(typeof given === "string" ? given : given.name));
}

/** The policy names that a relay's grants have used; each grant needs another. */
export class GrantNames {
  private readonly used = new Set<unknown>();

  /** @param method The method that grants. @throws pulumi.InputPropertyError if the name is taken or invalid. */
  take(method: string, relayName: string, policyName: unknown): void {
    const name = `${relayName}-${String(policyName)}-policy-1234567`;
    // https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
    if (typeof policyName !== "string" || !/^[\w+=,.@-]+$/.test(policyName) || name.length > 128) {
      const longest = 128 - (name.length - String(policyName).length);
      refuse("policyName", policyName, `a text of up to ${longest} letters, digits and _+=,.@-`, "pass such a text");
    }
    if (this.used.has(policyName)) {
      refuse(
        "policyName",
        policyName,
        "another for each grant of a relay, since a policy is named by it",
        `pass one as the second argument: ${method}(role, "${policyName}-2")`,
      );
    }
    this.used.add(policyName);
  }
}

function roleNameProblem(name: unknown): string | undefined {
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
  return typeof name === "string" && /^[\w+=,.@-]{1,64}$/.test(name)
    ? undefined
    : problemText(name, "a role, or its name of up to 64 letters, digits and _+=,.@-", "give the name, not the ARN");
}
