import { type Problem, refuseUnlessBoolean, refuseUnlessInteger, refuseUnlessOneOf, unknownText } from "./refuse";
import type { Option, Options } from "./spec";

/** The type of an option's value. */
type ValueOf<Of extends Option> = Of extends { oneOf: readonly (infer Value)[] }
  ? Value
  : Of["type"] extends "integer"
    ? number
    : Of["type"] extends "boolean"
      ? boolean
      : Of["type"] extends "string"
        ? string
        : Of["type"] extends "array"
          ? string[]
          : Record<string, never>;

/** The values of the options that have a default. */
export type Defaults<Of extends Options> = {
  -readonly [Key in keyof Of as Of[Key] extends { default: unknown } ? Key : never]: ValueOf<Of[Key]>;
};

/** The defaults of a group of options. */
export function defaultsOf<const Of extends Options>(options: Of): Defaults<Of> {
  const withDefault = Object.entries(options).filter(([, option]) => option.default !== undefined);
  return Object.fromEntries(withDefault.map(([key, option]) => [key, option.default])) as Defaults<Of>;
}

/**
 * Refuses values that their options rule out by themselves: a wrong type, a number out of range, or an unknown word. Other
 * rules, and inputs that may be outputs, are checked next to the argument that they are about.
 *
 * @param prefix Of the keys in errors: `alarms.` for the keys of an argument.
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function refuseUnallowed(prefix: string, args: object, options: Options): void {
  for (const [key, value] of Object.entries(args)) {
    const option = options[key];
    if (option !== undefined && value !== undefined) refuseUnlessAllowed(`${prefix}${key}`, value, option);
  }
}

function refuseUnlessAllowed(path: string, value: unknown, option: Option): void {
  const { type, oneOf, min, max, default: byDefault } = option;
  if (type === "boolean") refuseUnlessBoolean(path, value);
  if (type === "string" && oneOf !== undefined) refuseUnlessOneOf(path, value, oneOf.map(String));
  if (type === "integer" && min !== undefined && max !== undefined) {
    refuseUnlessInteger(path, value, min, max, byDefault as number | undefined);
  }
}

/** What is wrong with an object that has a key without an option. @param path The object's: `auth.oidc`. */
export function unknownKeyProblem(path: string, given: object, options: Options): Problem | undefined {
  const known = Object.keys(options);
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  return unknown === undefined
    ? undefined
    : { path: `${path}.${unknown}`, text: unknownText(known.join(", "), unknown) };
}
