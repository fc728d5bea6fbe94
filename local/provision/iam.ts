import { randomBytes } from "node:crypto";
import { account, partition } from "../account";
import type { Iam } from "../iam";
import { checkConditions } from "../iam/conditions";
import { type Role, roleArn } from "../iam/roles";
import { autoname } from "./autoname";
import type { LocalResource, LocalResources, Properties } from "./resource";

export interface IamResourcesOptions {
  iam: Iam;
  /** Takes what of a role cannot be enforced here. */
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
  const put = (logicalName: string, role: Role, inputs: Properties): Properties => {
    for (const key of ["managedPolicyArns", "inlinePolicies"]) {
      if ((inputs[key] as unknown[] | undefined)?.length) {
        throw new Error(`role ${logicalName}: ${key} is not modelled in the local run, only aws.iam.RolePolicy`);
      }
    }
    const { permissionsBoundary } = role;
    if (permissionsBoundary && iam.roles.managedPolicy(permissionsBoundary) === undefined) {
      log(`role ${logicalName}: its boundary ${permissionsBoundary} is not the program's, and so is not enforced here`);
    }
    iam.roles.put(role);
    return { id: role.name, name: role.name, arn: role.arn };
  };
  const roleOf = (name: string, inputs: Properties): Role => {
    const path = (inputs["path"] as string | undefined) ?? "/";
    const assumeRolePolicy = documentOf(`assumeRolePolicy of role ${name}`, inputs["assumeRolePolicy"]);
    const permissionsBoundary = inputs["permissionsBoundary"] as string | undefined;
    return { name, arn: roleArn(name, path), assumeRolePolicy, permissionsBoundary };
  };
  return {
    replaceOnChanges: ["name", "path"],
    async create({ name: logicalName, inputs }) {
      const name = (inputs["name"] as string | undefined) ?? autoname(logicalName);
      if (iam.roles.get(name)) throw new Error(`EntityAlreadyExists: Role with name ${name} already exists.`);
      const uniqueId = `AROA${randomBytes(8).toString("hex").toUpperCase()}`;
      return { id: name, outputs: { ...put(logicalName, roleOf(name, inputs), inputs), uniqueId } };
    },
    async update(id, { name: logicalName, inputs }, olds) {
      return { ...put(logicalName, roleOf(id, inputs), inputs), uniqueId: olds["uniqueId"] };
    },
    async delete(id) {
      iam.roles.delete(id);
    },
  };
}

function rolePolicyResource(iam: Iam): LocalResource {
  const put = (roleName: string, policyName: string, inputs: Properties): Properties => {
    const policy = documentOf(`policy ${policyName} of role ${roleName}`, inputs["policy"]);
    iam.roles.putInlinePolicy(roleName, policyName, policy);
    return { id: `${roleName}:${policyName}`, name: policyName, role: roleName, policy };
  };
  return {
    replaceOnChanges: ["name", "role"],
    async create({ name: logicalName, inputs }) {
      const name = (inputs["name"] as string | undefined) ?? autoname(logicalName);
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
    iam.roles.putManagedPolicy(arn, policy);
    return { id: arn, arn, policy };
  };
  return {
    replaceOnChanges: ["name", "path", "description"],
    async create({ name: logicalName, inputs }) {
      const name = (inputs["name"] as string | undefined) ?? autoname(logicalName);
      const path = (inputs["path"] as string | undefined) ?? "/";
      const arn = `arn:${partition}:iam::${account}:policy${path}${name}`;
      return { id: arn, outputs: { ...put(arn, inputs), name } };
    },
    update: (id, { inputs }, olds) => Promise.resolve({ ...put(id, inputs), name: olds["name"] }),
    async delete(id) {
      iam.roles.deleteManagedPolicy(id);
    },
  };
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
