import { checkArguments } from "./arguments";
import { accountFunctions } from "./accountFunctions";
import type { LocalFunctions, LocalResource, LocalResources, Properties } from "./resource";

/** Provisions registered resources as local parts. Only this file maps types to parts. */
export class Provisioner {
  private readonly functions: LocalFunctions;

  constructor(
    private readonly resources: LocalResources,
    functions: LocalFunctions = {},
  ) {
    this.functions = { ...accountFunctions, ...functions };
  }

  /** Every type that can be registered. */
  get types(): string[] {
    return Object.keys(this.resources);
  }

  /** Refuses unknown types and arguments, before anything is created. */
  check(type: string, name: string, inputs: Properties): void {
    this.resource(type, name);
    checkArguments(type, name, inputs);
  }

  async create(type: string, name: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    this.check(type, name, inputs);
    const { id, outputs } = await this.resource(type, name).create({ name, inputs });
    const properties = { ...inputs, ...outputs };
    return { id, outputs: properties };
  }

  async update(type: string, name: string, id: string, inputs: Properties, olds: Properties): Promise<Properties> {
    this.check(type, name, inputs);
    const { update } = this.resource(type, name);
    if (!update) {
      throw new Error(`${type} (${name}) cannot be changed in place`);
    }
    const properties = { ...inputs, ...(await update(id, { name, inputs }, olds)) };
    return properties;
  }

  async delete(type: string, name: string, id: string, olds: Properties): Promise<void> {
    await this.resource(type, name).delete(id, olds);
  }

  /** The state of the resource with that id; undefined if there is none, or if its type cannot be read. */
  async read(type: string, name: string, id: string): Promise<Properties | undefined> {
    return this.resource(type, name).read?.(id);
  }

  /** Whether resources of the type can be read, as `.get()` does. */
  canRead(type: string, name: string): boolean {
    return this.resource(type, name).read !== undefined;
  }

  /** The provider's answer to a function that the program calls (`aws.getRegion`), the same on both fronts. */
  async call(token: string, args: Properties): Promise<Properties> {
    const answer = this.functions[token];
    if (!answer) {
      throw new Error(
        `the local run does not know the function ${token}: add an answer in local/provision, next to the part that it reads from`,
      );
    }
    return answer(args);
  }

  /** Inputs that come back changed, and so are unknown to a preview. */
  computedInputs(type: string, name: string): readonly string[] {
    return this.resource(type, name).computedInputs ?? [];
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
        `${type} (${name}): the local run does not know this resource type. ` + "Provision it in local/provision.",
      );
    }
    return resource;
  }
}
