import { runSimulation } from "@cloud-copilot/iam-simulate";
import type { PolicyEntry } from "../../local/iam/policies";
import type { Authorization } from "../../local/iam/authorizations";
import { trustPolicyName } from "../../local/iam/roles";

interface Statement {
  Sid?: string;
  Effect: string;
  Principal?: unknown;
  Action: string | string[];
  Resource?: string | string[];
}

interface Document {
  Version?: string;
  Statement: Statement[];
}

/** One action on one resource that a policy allows, with the policy as it is without it. */
export interface Grant {
  policy: PolicyEntry;
  action: string;
  resource: string;
  /** The policy with nothing but this. */
  alone: Document;
  /** The policy without this; null where nothing is left. */
  without: Document | null;
}

/**
 * Everything that a policy allows, each action on each resource for itself, next to what it denies; less what has its say when a resource is made,
 * and is tested there: whom a role trusts, and what CloudWatch Logs may do with a key; and less what AWS itself gives.
 */
export function grantsOf(policy: PolicyEntry): Grant[] {
  if (policy.name === trustPolicyName) return [];
  const document = policy.document as Document;
  const played = document.Statement.filter(
    (statement) => statement.Effect === "Allow" && !isDefault(statement) && !isForLogs(statement),
  );
  const singles = played.flatMap((statement) =>
    [statement.Action]
      .flat()
      .flatMap((Action) => [statement.Resource ?? "*"].flat().map((Resource) => ({ ...statement, Action, Resource }))),
  );
  return singles.map((single) => {
    const others = [
      ...singles.filter((other) => other !== single),
      ...document.Statement.filter((statement) => !played.includes(statement)),
    ];
    return {
      policy,
      action: single.Action,
      resource: single.Resource,
      alone: { ...document, Statement: [single] },
      without: others.length > 0 ? { ...document, Statement: others } : null,
    };
  });
}

/** The statement by which a new key leaves all to IAM, and the one that a new topic has for its owner. */
function isDefault({ Sid, Action }: Statement): boolean {
  return Sid === "__default_statement_ID" || Action === "kms:*";
}

function isForLogs({ Principal }: Statement): boolean {
  return JSON.stringify(Principal ?? {}).includes('"logs.');
}

export function nameOf({ policy: { of, name }, action, resource }: Grant): string {
  return `${action} on ${resource}, of ${name ?? "the policy"} of ${of}`;
}

/** A role's policies go with its calls, a resource's policy with the calls to it. */
export function isAbout(policy: PolicyEntry, { principal, resource }: Authorization): boolean {
  return isOfResource(policy) ? policy.of === resource : roleNameOf(principal) === policy.of.split("/").at(-1);
}

/** To IAM a role's trust is the policy of a resource, too. */
function isOfResource({ name }: PolicyEntry): boolean {
  return name === undefined || name === trustPolicyName;
}

/** Whether these policies, and no others, allow a call: asked of the simulator anew, apart from the local run. */
export async function isAllowed(call: Authorization, policies: PolicyEntry[]): Promise<boolean> {
  const { principal, action, resource, context } = call;
  const own = policies.filter((policy) => isAbout(policy, call));
  const ofRole = own.filter((policy) => !isOfResource(policy));
  const result = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: resource.split(":")[4] || localAccount },
        contextVariables: context,
      },
      identityPolicies: principal.endsWith(":root") ? [administratorAccess] : ofRole.map(identityPolicyOf),
      resourcePolicy: own.find(isOfResource)?.document ?? defaultPolicyOf(resource),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  if (result.resultType === "error") throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  return result.overallResult === "Allowed";
}

const localAccount = "000000000000";

const administratorAccess = {
  name: "AdministratorAccess",
  policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
};

function identityPolicyOf({ name = "", document: policy }: PolicyEntry) {
  return { name, policy };
}

/** A key that the program only names leaves it to IAM. */
function defaultPolicyOf(resource: string): unknown {
  if (!resource.startsWith("arn:aws:kms:")) return undefined;
  const Principal = { AWS: `arn:aws:iam::${resource.split(":")[4]}:root` };
  const statement = { Effect: "Allow", Principal, Action: "kms:*", Resource: "*" };
  return { Version: "2012-10-17", Statement: [statement] };
}

/** `arn:aws:sts::…:assumed-role/{role}/{session}` */
function roleNameOf(principal: string): string | undefined {
  return /:assumed-role\/([^/]+)\//.exec(principal)?.[1];
}
