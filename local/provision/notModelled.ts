import { region } from "../account";
import type { Properties } from "./resource";

/**
 * Refuses inputs that would change what a resource does on AWS and do nothing here, and a region of its own. `resource`
 * is its kind and its logical name: `topic relay`.
 */
export function refuseNotModelled(resource: string, inputs: Properties, names: readonly string[] = []): void {
  for (const name of names) {
    const value = inputs[name];
    const isGiven = value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
    if (isGiven)
      throw new Error(`${resource}: ${name} is not modelled in the local run; remove it for the local stack`);
  }
  const { region: asked = region } = inputs;
  if (asked !== region) {
    throw new Error(`${resource}: region is ${JSON.stringify(asked)}; the local run has the region ${region} only`);
  }
}
