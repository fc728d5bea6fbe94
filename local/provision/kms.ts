import { randomUUID } from "node:crypto";
import { account, arn } from "../account";
import { delegating, type Keys } from "../iam/keys";
import { jsonObject } from "../jsonObject";
import { autoname } from "./autoname";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties, Registration } from "./resource";

/** Customer-managed keys and their aliases. */
export function kmsResources(keys: Keys): LocalResources {
  return { "aws:kms/key:Key": key(keys), "aws:kms/alias:Alias": alias(keys) };
}

function key(keys: Keys): LocalResource {
  const keyArn = (id: string) => arn("kms", `key/${id}`);
  const outputs = (id: string, policy: string) => ({
    ...{ arn: keyArn(id), keyId: id, policy },
    ...{ keyUsage: "ENCRYPT_DECRYPT", customerMasterKeySpec: "SYMMETRIC_DEFAULT" },
  });
  const put = (id: string, { name, inputs }: Registration): Properties => {
    const policy = checkedPolicy(name, inputs);
    keys.put(keyArn(id), policy);
    return outputs(id, policy);
  };
  return {
    replaceOnChanges: ["keyUsage", "customerMasterKeySpec", "multiRegion"],
    async create(registration) {
      const id = randomUUID();
      return { id, outputs: put(id, registration) };
    },
    update: async (id, registration) => put(id, registration),
    delete: async (id) => keys.delete(keyArn(id)),
  };
}

function checkedPolicy(name: string, inputs: Properties): string {
  const { policy = delegating(account), deletionWindowInDays: days = 30, bypassPolicyLockoutSafetyCheck } = inputs;
  if (!(Number.isInteger(days) && Number(days) >= 7 && Number(days) <= 30)) {
    refusal(`key ${name}`, "ValidationException")("deletionWindowInDays", days, "an integer from 7 to 30");
  }
  const refuse = refusal(`key ${name}`, "MalformedPolicyDocumentException");
  const document = jsonObject(policy);
  if (!document) return refuse("policy", policy, "a JSON object");
  if (!bypassPolicyLockoutSafetyCheck && !canBeChanged(document)) {
    refuse("policy", policy, `one that lets a principal of the account ${account} update it in the future`);
  }
  return String(policy);
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html#KMS-CreateKey-request-BypassPolicyLockoutSafetyCheck */
function canBeChanged(document: Properties): boolean {
  const { Statement: statements } = document as { Statement?: Properties | Properties[] };
  return many(statements).some(({ Effect, Principal, Action }) => {
    const principals =
      Principal === "*" ? ["*"] : many((Principal as { AWS?: string | string[] } | undefined)?.["AWS"]);
    const isOurs = principals.some((principal) => ["*", account].includes(principal) || principal.includes(account));
    const actions = many(Action as string | string[] | undefined);
    return Effect === "Allow" && isOurs && actions.some((action) => covers(action, "kms:PutKeyPolicy"));
  });
}

function alias(keys: Keys): LocalResource {
  const put = (aliasName: string, { name, inputs }: Registration): Properties => {
    const refuse = refusal(`alias ${name}`, "ValidationException");
    if (!/^alias\/(?!aws\/)[\w/-]+$/.test(aliasName))
      refuse("name", aliasName, "alias/ and a name that AWS does not own");
    const targetKeyArn = keys.registeredArn(String(inputs["targetKeyId"]));
    if (!targetKeyArn) return refuse("targetKeyId", inputs["targetKeyId"], "a key that exists");
    keys.putAlias(aliasName, targetKeyArn);
    return { name: aliasName, arn: arn("kms", aliasName), targetKeyArn };
  };
  return {
    replaceOnChanges: ["name", "namePrefix"],
    async create(registration) {
      const aliasName = String(registration.inputs["name"] ?? autoname(`alias/${registration.name}`));
      if (keys.hasAlias(aliasName)) throw new Error(`AlreadyExistsException: ${aliasName} already exists`);
      return { id: aliasName, outputs: put(aliasName, registration) };
    },
    update: async (id, registration) => put(id, registration),
    delete: async (id) => keys.deleteAlias(id),
  };
}

/** Whether a policy's action, with its wildcards, covers `action`; without regard to case, as in IAM. */
function covers(pattern: string, action: string): boolean {
  const expression = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${expression.replaceAll("?", ".")}$`, "i").test(action);
}

function many<T>(value: T | T[] | undefined): T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
