import { accountFunctions } from "../../local/provision/accountFunctions";
import type { ProvisionerLike } from "../../local/provision/providerServer";
import type { EmulatedResource, EmulatedResources } from "./resources/resource";

/** Nothing is changed in place: the tests create stacks and destroy them. */
export function provisionerOf(resources: EmulatedResources): ProvisionerLike {
  const resourceOf = (type: string, name: string): EmulatedResource => {
    const resource = resources[type];
    if (!resource)
      throw new Error(`${type} (${name}): not mapped to ministack. Fix: add it in tests/emulator/resources`);
    return resource;
  };
  return {
    check: (type, name) => void resourceOf(type, name),
    async create(type, name, inputs) {
      const { id, outputs } = await resourceOf(type, name).create(name, inputs);
      return { id, outputs: { ...inputs, ...outputs } };
    },
    update: (type, name) => Promise.reject(new Error(`${type} (${name}) cannot be changed in place`)),
    delete: (type, name, id, olds) => resourceOf(type, name).delete(id, olds),
    // As it was created: nothing else changes it.
    read: () => Promise.resolve(undefined),
    replaces: (_type, _name, changed) => changed,
    async call(token, args) {
      const answer = accountFunctions[token];
      if (!answer) throw new Error(`${token}: not mapped to ministack. Fix: add it in tests/emulator/provisioner.ts`);
      return answer(args);
    },
    computedInputs: () => [],
  };
}
