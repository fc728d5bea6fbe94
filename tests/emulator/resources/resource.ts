import type { Properties } from "../../../local/provision/resource";

export type { Properties };

/** Maps a registered resource to calls of its service: an input to the parameter of the same meaning, and nothing else. */
export interface EmulatedResource {
  /** Resolves with the physical id and the outputs, without the inputs. */
  create(name: string, inputs: Properties): Promise<{ id: string; outputs: Properties }>;
  delete(id: string, olds: Properties): Promise<void>;
}

export type EmulatedResources = Record<string, EmulatedResource>;

/**
 * The inputs with their keys as the services write them: `batchSize` as `BatchSize`, also in objects and lists. What is under
 * a key of `opaque` is the user's own, and stays as it is. Pulumi's own keys are left out.
 */
export function inPascalCase(inputs: Properties, opaque: readonly string[] = []): Properties {
  return Object.fromEntries(
    Object.entries(inputs)
      .filter(([key, value]) => !key.startsWith("__") && value !== undefined && value !== null)
      .map(([key, value]) => [
        `${key.charAt(0).toUpperCase()}${key.slice(1)}`,
        opaque.includes(key) ? value : inside(value, opaque),
      ]),
  );
}

function inside(value: unknown, opaque: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => inside(each, opaque));
  return typeof value === "object" && value !== null ? inPascalCase(value as Properties, opaque) : value;
}

/** Attributes of queues, topics and subscriptions: a text each. */
export function inText(attributes: Properties): Record<string, string> {
  const asText = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, asText(value)]));
}

export function without<T extends Properties>(properties: T, ...keys: string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.includes(key)));
}
