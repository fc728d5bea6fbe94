import { arn } from "../account";
import { autoname } from "./autoname";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Where each registered resource becomes a local part; the only place that knows which type is what. */
export class Provisioner {
  private readonly resources: LocalResources;

  constructor(resources: LocalResources) {
    this.resources = { ...withoutLocalEffect, ...resources };
  }

  async create(type: string, name: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const { id, outputs } = await this.resource(type, name).create({ name, inputs });
    return { id, outputs: { ...inputs, ...outputs } };
  }

  async update(type: string, name: string, id: string, inputs: Properties, olds: Properties): Promise<Properties> {
    const { update } = this.resource(type, name);
    if (!update) {
      throw new Error(`${type} (${name}) cannot be changed in place`);
    }
    return { ...inputs, ...(await update(id, { name, inputs }, olds)) };
  }

  async delete(type: string, name: string, id: string, olds: Properties): Promise<void> {
    await this.resource(type, name).delete(id, olds);
  }

  /** Which of the changed inputs replace the resource: all of them where it cannot be changed in place. */
  replaces(type: string, name: string, changed: string[]): string[] {
    const { update, replaceOnChanges = [] } = this.resource(type, name);
    return update ? changed.filter((key) => replaceOnChanges.includes(key)) : changed;
  }

  private resource(type: string, name: string): LocalResource {
    const resource = this.resources[type];
    if (!resource) {
      throw new Error(
        `${type} (${name}): the local run does not know this resource type. ` +
          "Provision it in local/provision, or list it there as having no local effect.",
      );
    }
    return resource;
  }
}

/** Types that change nothing on one machine: no IAM is evaluated here, and logs go to stderr. */
const withoutLocalEffect: LocalResources = {
  "aws:iam/role:Role": named((name) => ({ arn: `${arn("iam", `role/${name}`).replace(/:us-[^:]+:/, "::")}` })),
  "aws:iam/rolePolicy:RolePolicy": named(() => ({})),
  "aws:cloudwatch/logGroup:LogGroup": named((name) => ({ arn: arn("logs", `log-group:${name}`) })),
};

function named(outputsOf: (physicalName: string) => Properties): LocalResource {
  const outputs = (physicalName: string) => ({ id: physicalName, name: physicalName, ...outputsOf(physicalName) });
  return {
    replaceOnChanges: ["name", "role"],
    create: ({ name, inputs }) => {
      const id = typeof inputs.name === "string" ? inputs.name : autoname(name);
      return Promise.resolve({ id, outputs: outputs(id) });
    },
    update: (id) => Promise.resolve(outputs(id)),
    delete: () => Promise.resolve(),
  };
}
