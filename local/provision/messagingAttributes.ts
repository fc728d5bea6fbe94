import { autoname, prefixed } from "./autoname";
import type { Properties } from "./resource";

/** Input of a resource -> its attribute, and the value that the attribute has without the input. */
export type AttributeInputs = Record<string, [attribute: string, byDefault?: string]>;

/** The attributes that the inputs set. An empty text removes the attribute. */
export function attributesFrom(table: AttributeInputs, inputs: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([input, [attribute, byDefault]]) => {
      const value = inputs[input] ?? byDefault;
      return value === undefined ? [] : [[attribute, String(value)]];
    }),
  );
}

/** Without the attributes that are empty: a new resource has none to remove. */
export function given(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}

export function physicalName(logicalName: string, { name, namePrefix }: Properties, isFifo: boolean): string {
  if (typeof name === "string") {
    if (name.endsWith(".fifo") !== isFifo) {
      throw new Error(`${logicalName}: the name of a FIFO queue or topic, and no other, ends with .fifo; got ${name}`);
    }
    return name;
  }
  const suffix = isFifo ? ".fifo" : "";
  return typeof namePrefix === "string" ? prefixed(namePrefix, suffix) : autoname(logicalName, suffix);
}

export function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}
