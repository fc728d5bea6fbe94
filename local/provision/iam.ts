import { randomBytes } from "node:crypto";
import { account, partition } from "../account";
import type { Iam } from "../iam/iam";
import { checkConditions } from "../iam/conditions";
import { type Role, roleArn } from "../iam/roles";
import { autoname } from "./autoname";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties } from "./resource";

export interface IamResourcesOptions {
  iam: Iam;
  /** Receives the properties of roles that cannot be enforced here. */
  log: (line: string) => void;
}

/** Roles with their inline policies, and managed policies for their boundaries. */
export function iamResources({ iam, log }: IamResourcesOptions): LocalResources {
  return {
    "aws:iam/role:Role": roleResource(iam, log),
    "aws:iam/rolePolicy:RolePolicy": rolePolicyResource(iam),
    "aws:iam/policy:Policy": policyResource(iam),
  };
}

function roleResource(iam: Iam, log: (line: string) => void): LocalResource {
  const put = (logicalName: string, role: Role): Properties => {
    const { permissionsBoundary } = role;
    if (permissionsBoundary && iam.roles.managedPolicy(permissionsBoundary) === undefined) {
      log(`role ${logicalName}: its boundary ${permissionsBoundary} is not the program's, and so is not enforced here`);
    }
    iam.roles.put(role);
    return { id: role.name, name: role.name, arn: role.arn };
  };
  const roleOf = (name: string, inputs: Properties): Role => {
    const path = pathOf(`role ${name}`, inputs);
    const assumeRolePolicy = documentOf(`assumeRolePolicy of role ${name}`, inputs["assumeRolePolicy"]);
    checkSize("assumeRolePolicy", `role ${name}`, [assumeRolePolicy], 2048);
    const permissionsBoundary = inputs["permissionsBoundary"] as string | undefined;
    return { name, arn: roleArn(name, path), assumeRolePolicy, permissionsBoundary };
  };
  return {
    replaceOnChanges: ["name", "path"],
    async create({ name: logicalName, inputs }) {
      const name = nameOf(`role ${logicalName}`, logicalName, inputs, 64);
      if (iam.roles.get(name)) throw new Error(`EntityAlreadyExists: Role with name ${name} already exists.`);
      const uniqueId = `AROA${randomBytes(8).toString("hex").toUpperCase()}`;
      return { id: name, outputs: { ...put(logicalName, roleOf(name, inputs)), uniqueId } };
    },
    async update(id, { name: logicalName, inputs }, olds) {
      return { ...put(logicalName, roleOf(id, inputs)), uniqueId: olds["uniqueId"] };
    },
    async delete(id) {
      iam.roles.delete(id);
    },
    async read(id) {
      const role = iam.roles.get(id);
      return role && { ...role };
    },
  };
}

function rolePolicyResource(iam: Iam): LocalResource {
  const put = (roleName: string, policyName: string, inputs: Properties): Properties => {
    const policy = documentOf(`policy ${policyName} of role ${roleName}`, inputs["policy"]);
    // The limit is on a role's inline policies together.
    const others = iam.roles.inlinePolicies(roleName).filter(({ name }) => name !== policyName);
    checkSize("policy", `role ${roleName}`, [...others.map(({ document }) => document), policy], 10_240);
    iam.roles.putInlinePolicy(roleName, policyName, policy);
    return { id: `${roleName}:${policyName}`, name: policyName, role: roleName, policy };
  };
  return {
    replaceOnChanges: ["name", "role"],
    async create({ name: logicalName, inputs }) {
      const name = nameOf(`policy ${logicalName}`, logicalName, inputs, 128);
      const outputs = put(String(inputs["role"]), name, inputs);
      return { id: String(outputs["id"]), outputs };
    },
    async update(id, { inputs }) {
      const [roleName = "", policyName = ""] = id.split(":");
      return put(roleName, policyName, inputs);
    },
    async delete(id) {
      const [roleName = "", policyName = ""] = id.split(":");
      iam.roles.deleteInlinePolicy(roleName, policyName);
    },
  };
}

function policyResource(iam: Iam): LocalResource {
  const put = (arn: string, inputs: Properties): Properties => {
    const policy = documentOf(`policy ${arn}`, inputs["policy"]);
    checkSize("policy", `policy ${arn}`, [policy], 6144);
    iam.roles.putManagedPolicy(arn, policy);
    return { id: arn, arn, policy };
  };
  return {
    replaceOnChanges: ["name", "path", "description"],
    async create({ name: logicalName, inputs }) {
      const name = nameOf(`policy ${logicalName}`, logicalName, inputs, 128);
      const path = pathOf(`policy ${name}`, inputs);
      const arn = `arn:${partition}:iam::${account}:policy${path}${name}`;
      return { id: arn, outputs: { ...put(arn, inputs), name } };
    },
    update: (id, { inputs }, olds) => Promise.resolve({ ...put(id, inputs), name: olds["name"] }),
    async delete(id) {
      iam.roles.deleteManagedPolicy(id);
    },
  };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
function nameOf(resource: string, logicalName: string, inputs: Properties, most: number): string {
  const name = (inputs["name"] as string | undefined) ?? autoname(logicalName);
  if (name.length <= most && /^[\w+=,.@-]+$/.test(name)) return name;
  return refusal(resource, "ValidationError")("name", name, `1 to ${most} letters, digits and _ + = , . @ -`);
}

function pathOf(resource: string, inputs: Properties): string {
  const path = (inputs["path"] as string | undefined) ?? "/";
  if (path.length <= 512 && /^\/([\x21-\x7e]*\/)?$/.test(path)) return path;
  return refusal(resource, "ValidationError")("path", path, "1 to 512 printable ASCII characters, / first and last");
}

/** White space does not count. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
function checkSize(input: string, resource: string, policies: string[], most: number): void {
  const characters = policies.join("").replace(/\s/g, "").length;
  if (characters <= most) return;
  refusal(resource, "LimitExceeded")(
    input,
    `${characters} characters`,
    `at most ${most} characters, without white space`,
  );
}

/** A policy as JSON text, which a program may give as an object too. */
function documentOf(what: string, policy: unknown): string {
  const document = typeof policy === "string" ? policy : JSON.stringify(policy);
  try {
    checkConditions(what, JSON.parse(document));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(`MalformedPolicyDocument: ${what} is not JSON: ${error.message}`, { cause: error });
  }
  return document;
}
