import { createHash } from "node:crypto";
import { account, credentials, partition } from "../account";
import type { PolicyEntry, PolicyHolder } from "./policies";

export interface Role {
  name: string;
  arn: string;
  /** JSON: who may assume the role. */
  assumeRolePolicy: string;
  /** The ARN of the managed policy that bounds what its own policies can allow. */
  permissionsBoundary?: string;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

export const trustPolicyName = "trust";

/** The roles that the program registered, with their inline policies, and the managed policies that bound them. */
export class Roles implements PolicyHolder {
  /** Changes whenever a role's rights may have changed. */
  version = 0;
  private readonly roles = new Map<string, { role: Role; policies: Map<string, string> }>();
  /** Deleted roles are kept: credentials of a deleted role have no rights, and must not count as another principal's. */
  private readonly everByAccessKey = new Map<string, Role>();
  private readonly managedPolicies = new Map<string, string>();

  /** @param onChange Called whenever a role's rights may have changed. */
  constructor(private readonly onChange: () => void) {}

  /** Creates or changes a role; its inline policies stay. */
  put(role: Role): void {
    this.roles.set(role.name, { role, policies: this.roles.get(role.name)?.policies ?? new Map<string, string>() });
    this.everByAccessKey.set(accessKeyIdOf(role.arn), role);
    this.changed();
  }

  delete(name: string): void {
    this.roles.delete(name);
    this.changed();
  }

  get(name: string): Role | undefined {
    return this.roles.get(name)?.role;
  }

  byArn(arn: string): Role | undefined {
    return [...this.roles.values()].find(({ role }) => role.arn === arn)?.role;
  }

  byAccessKeyId(accessKeyId: string): Role | undefined {
    return this.everByAccessKey.get(accessKeyId);
  }

  inlinePolicies(roleName: string): { name: string; document: string }[] {
    const policies = this.roles.get(roleName)?.policies ?? new Map<string, string>();
    return [...policies].map(([name, document]) => ({ name, document }));
  }

  /** @throws Error NoSuchEntity where there is no such role. */
  putInlinePolicy(roleName: string, policyName: string, document: string): void {
    const found = this.roles.get(roleName);
    if (!found) throw new Error(`NoSuchEntity: The role with name ${roleName} cannot be found.`);
    found.policies.set(policyName, document);
    this.changed();
  }

  deleteInlinePolicy(roleName: string, policyName: string): void {
    this.roles.get(roleName)?.policies.delete(policyName);
    this.changed();
  }

  managedPolicy(arn: string): string | undefined {
    return this.managedPolicies.get(arn);
  }

  putManagedPolicy(arn: string, document: string): void {
    this.managedPolicies.set(arn, document);
    this.changed();
  }

  deleteManagedPolicy(arn: string): void {
    this.managedPolicies.delete(arn);
    this.changed();
  }

  policies(): PolicyEntry[] {
    return [...this.roles.values()].flatMap(({ role, policies }) =>
      [[trustPolicyName, role.assumeRolePolicy] as const, ...policies].map(([name, document]) => ({
        of: role.arn,
        name,
        accessKeyId: accessKeyIdOf(role.arn),
        document: JSON.parse(document) as unknown,
      })),
    );
  }

  setPolicy(of: string, name: string | undefined, document: string | undefined): boolean {
    const role = this.byArn(of);
    if (!role || name === undefined || name === trustPolicyName) return false;
    if (document === undefined) this.deleteInlinePolicy(role.name, name);
    else this.putInlinePolicy(role.name, name, document);
    return true;
  }

  private changed(): void {
    this.version += 1;
    this.onChange();
  }
}

export function roleArn(name: string, path = "/"): string {
  return `arn:${partition}:iam::${account}:role${path}${name}`;
}

/** What signs a role's calls: the id says whose they are, and the session's name travels as its token. */
export function roleCredentials(arn: string, sessionName: string): Credentials {
  return {
    accessKeyId: accessKeyIdOf(arn),
    secretAccessKey: credentials.secretAccessKey,
    sessionToken: sessionName,
  };
}

/** In the form of a temporary one. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes */
function accessKeyIdOf(arn: string): string {
  return `ASIA${createHash("sha256").update(arn).digest("hex").slice(0, 16).toUpperCase()}`;
}
