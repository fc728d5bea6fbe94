import { account, arn, partition, region } from "../account";
import type { PolicyEntry, PolicyHolder } from "./policies";
import type { Principal } from "./principals";
import type { AccessRequest } from "./simulation";

/** The use of a resource's key that a call needs. */
export interface KeyUse {
  principal: Principal;
  /** The service that calls KMS for the principal. */
  service: "dynamodb" | "logs" | "sns" | "sqs";
  /** A key's id or ARN, or an alias, as the resource has it. @default the service's own encryption, which needs no rights */
  key: string | undefined;
  actions: string[];
  /** Further context keys of the service's call to KMS. @default none */
  context?: Record<string, string>;
}

/** The KMS keys that the program registered, with their policies. Keys that it only names are known by their ARN alone. */
export class Keys implements PolicyHolder {
  private readonly documents = new Map<string, string>();
  private readonly aliases = new Map<string, string>();

  put(keyArn: string, policy: string | undefined): void {
    this.documents.set(keyArn, policy || delegating(account));
  }

  delete(keyArn: string): void {
    this.documents.delete(keyArn);
  }

  /** @param name `alias/…` */
  putAlias(name: string, keyArn: string): void {
    this.aliases.set(name, keyArn);
  }

  deleteAlias(name: string): void {
    this.aliases.delete(name);
  }

  hasAlias(name: string): boolean {
    return this.aliases.has(name);
  }

  /** The ARN behind an id, an ARN, or an alias's name or ARN; undefined for a key that the program has not registered. */
  registeredArn(key: string): string | undefined {
    const keyArn = this.arnOf(key);
    return this.documents.has(keyArn) ? keyArn : undefined;
  }

  /** The rights that a call needs to use a key. */
  requests({ principal, service, key, actions, context }: KeyUse): AccessRequest[] {
    // Every principal of the account may use an AWS managed key through its service.
    if (!key || key.includes("alias/aws/")) return [];
    const resource = this.arnOf(key);
    const registered = this.documents.get(resource);
    // The policy of a key that is only named is not known: it is taken to let the services, and to leave the rest to IAM.
    if (!registered && principal.kind === "service") return [];
    return actions.map((action) => ({
      principal,
      action,
      resource,
      resourcePolicy: registered ?? delegating(resource.split(":")[4] || account),
      context: {
        "kms:ViaService": `${service}.${region}.amazonaws.com`,
        "kms:CallerAccount": callerAccount(principal),
        ...context,
      },
    }));
  }

  policies(): PolicyEntry[] {
    return [...this.documents].map(([of, document]) => ({ of, document: JSON.parse(document) as unknown }));
  }

  setPolicy(of: string, _name: string | undefined, document: string | undefined): boolean {
    if (!this.documents.has(of)) return false;
    this.put(of, document);
    return true;
  }

  private arnOf(key: string): string {
    const name = key.replace(/^arn:[^:]+:kms:[^:]*:[^:]*:/, "");
    if (name.startsWith("alias/")) return this.aliases.get(name) ?? arn("kms", name);
    return key.startsWith("arn:") ? key : arn("kms", `key/${key}`);
  }
}

function callerAccount(principal: Principal): string {
  return principal.kind === "administrator" ? principal.account : account;
}

/** What KMS gives a key that comes without a policy: IAM decides. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
export function delegating(owner: string): string {
  const Principal = { AWS: `arn:${partition}:iam::${owner}:root` };
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal, Action: "kms:*", Resource: "*" }],
  });
}
