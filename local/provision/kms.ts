import { randomUUID } from "node:crypto";
import { account, arn } from "../account";
import { delegating, type Keys } from "../iam/keys";
import { jsonObject } from "../jsonObject";
import { autoname, prefixed } from "./autoname";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties, Registration } from "./resource";

/** Customer-managed keys and their aliases. */
export function kmsResources(keys: Keys): LocalResources {
  return { "aws:kms/key:Key": key(keys), "aws:kms/alias:Alias": alias(keys) };
}

function key(keys: Keys): LocalResource {
  const keyArn = (id: string) => arn("kms", `key/${id}`);
  const outputs = (id: string, policy: string) => ({
    arn: keyArn(id),
    keyId: id,
    policy,
    keyUsage: "ENCRYPT_DECRYPT",
    customerMasterKeySpec: "SYMMETRIC_DEFAULT",
  });
  const put = (id: string, { name, inputs }: Registration): Properties => {
    checkKey(name, inputs);
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

/** Refuses keys that could not encrypt for services at any time. */
function checkKey(name: string, inputs: Properties): void {
  const refuse = refusal(`key ${name}`, "UnsupportedOperationException");
  const { keyUsage = "ENCRYPT_DECRYPT", customerMasterKeySpec: spec = "SYMMETRIC_DEFAULT", isEnabled = true } = inputs;
  if (keyUsage !== "ENCRYPT_DECRYPT") refuse("keyUsage", keyUsage, "ENCRYPT_DECRYPT in the local run");
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html: symmetric keys only.
  if (spec !== "SYMMETRIC_DEFAULT") refuse("customerMasterKeySpec", spec, "SYMMETRIC_DEFAULT in the local run");
  if (isEnabled !== true) refuse("isEnabled", isEnabled, "true in the local run");
  const { rotationPeriodInDays: days = 365 } = inputs;
  if (!(Number.isInteger(days) && Number(days) >= 90 && Number(days) <= 2560)) {
    refusal(`key ${name}`, "ValidationException")("rotationPeriodInDays", days, "an integer from 90 to 2560");
  }
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
    if (!/^alias\/(?!aws\/)[\w/-]+$/.test(aliasName) || aliasName.length > 256)
      refuse("name", aliasName, "alias/ and a name that AWS does not own, of 1 to 256 characters in all");
    const targetKeyArn = keys.registeredArn(String(inputs["targetKeyId"]));
    if (!targetKeyArn) return refuse("targetKeyId", inputs["targetKeyId"], "a key that exists");
    keys.putAlias(aliasName, targetKeyArn);
    return { name: aliasName, arn: arn("kms", aliasName), targetKeyArn };
  };
  return {
    replaceOnChanges: ["name", "namePrefix"],
    async create(registration) {
      const { name, namePrefix } = registration.inputs;
      const unnamed = () =>
        namePrefix === undefined ? autoname(`alias/${registration.name}`) : prefixed(String(namePrefix));
      const aliasName = String(name ?? unnamed());
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
