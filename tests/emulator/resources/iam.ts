import { autoname } from "../../../local/provision/autoname";
import type { AwsRequests } from "../awsRequests";
import { type EmulatedResources, inPascalCase, inText, type Properties, without } from "./resource";

/**
 * Calls for whose batch form ministack asks for an action of its own, which AWS does not have: the right to the single call
 * is the right to its batch.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
 */
const batched = ["sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sns:Publish"];

interface Policy {
  Statement: { Action: string | string[] }[];
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html */
export function iamResources(aws: AwsRequests): EmulatedResources {
  const query = (action: string, parameters: Properties) => aws.query("iam", "2010-05-08", action, inText(parameters));

  return {
    "aws:iam/role:Role": {
      async create(logicalName, inputs) {
        const name = (inputs.name as string | undefined) ?? autoname(logicalName);
        const answered = await query("CreateRole", {
          ...inPascalCase(without(inputs, "name", "assumeRolePolicy", "tags")),
          ...listed("Tags", inputs.tags as Record<string, string> | undefined),
          RoleName: name,
          AssumeRolePolicyDocument: inputs.assumeRolePolicy,
        });
        const [, arn] = /<Arn>(.*?)<\/Arn>/.exec(answered) ?? [];
        return { id: name, outputs: { name, arn } };
      },
      async delete(id) {
        await query("DeleteRole", { RoleName: id });
      },
    },
    "aws:iam/rolePolicy:RolePolicy": {
      async create(logicalName, { role, policy, ...inputs }) {
        const name = (inputs.name as string | undefined) ?? autoname(logicalName);
        const PolicyDocument = JSON.stringify(withBatches(JSON.parse(policy as string) as Policy));
        await query("PutRolePolicy", { RoleName: role, PolicyName: name, PolicyDocument });
        return { id: `${role as string}:${name}`, outputs: { name } };
      },
      async delete(id) {
        const [RoleName, PolicyName] = id.split(":");
        await query("DeleteRolePolicy", { RoleName, PolicyName });
      },
    },
  };
}

export function withBatches(policy: Policy): Policy {
  const Statement = policy.Statement.map((statement) => ({
    ...statement,
    Action: [statement.Action]
      .flat()
      .flatMap((action) => (batched.includes(action) ? [action, `${action}Batch`] : [action])),
  }));
  return { ...policy, Statement };
}

/** As the query protocol has a list of tags. */
function listed(name: string, tags: Record<string, string> = {}): Properties {
  const entries = Object.entries(tags).flatMap(([Key, Value], index) => [
    [`${name}.member.${index + 1}.Key`, Key],
    [`${name}.member.${index + 1}.Value`, Value],
  ]);
  return Object.fromEntries(entries) as Properties;
}
