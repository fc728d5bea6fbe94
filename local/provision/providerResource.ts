import { randomUUID } from "node:crypto";
import { account, region } from "../account";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Arguments of a provider that change where AWS would do something; what concerns credentials alone has no place here. */
const placing: Record<string, (value: unknown) => string | undefined> = {
  region: (value) => (value === region ? undefined : `region ${String(value)} is taken for ${region}`),
  assumeRoles: () => `assumeRoles has no effect: everything is in the account ${account}`,
  assumeRoleWithWebIdentity: () => `assumeRoleWithWebIdentity has no effect: everything is in the account ${account}`,
  endpoints: () => "endpoints have no effect: everything is on this machine",
  defaultTags: () => "defaultTags are set nowhere",
  allowedAccountIds: () => `allowedAccountIds has no effect: the account is ${account}`,
  forbiddenAccountIds: () => `forbiddenAccountIds has no effect: the account is ${account}`,
};

/** A program's explicit AWS providers. All of them are the local run, which logs where their settings would make a difference on AWS. */
export function providerResources(log: (line: string) => void): LocalResources {
  const tell = (name: string, inputs: Properties): void => {
    for (const [key, difference] of Object.entries(placing)) {
      const text = inputs[key] === undefined ? undefined : difference(inputs[key]);
      if (text !== undefined) log(`provider ${name}: ${text}`);
    }
  };
  const provider: LocalResource = {
    async create({ name, inputs }) {
      tell(name, inputs);
      return { id: randomUUID(), outputs: {} };
    },
    async update(_, { name, inputs }) {
      tell(name, inputs);
      return {};
    },
    delete: async () => undefined,
  };
  return { "pulumi:providers:aws": provider };
}
