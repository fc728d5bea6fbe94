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
 * Refuses a value that its option rules out by itself: a wrong type, a number out of range, or an unknown word.
 *
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function refuseUnlessAllowed(path: string, value: unknown, option: Option): void {
  if (option.type === "boolean") refuseUnlessBoolean(path, value);
  if (option.type === "string" && option.oneOf) refuseUnlessOneOf(path, value, option.oneOf as readonly string[]);
  if (option.type === "integer" && option.min !== undefined && option.max !== undefined) {
    refuseUnlessInteger(path, value, option.min, option.max, option.default as number | undefined);
  }
}

/** {@link refuseUnlessAllowed} for each of these arguments. */
export function refuseUnlessAllAllowed<Key extends string>(
  args: Readonly<Record<Key, unknown>>,
  options: Readonly<Record<Key, Option>>,
  keys: readonly Key[],
): void {
  for (const key of keys) refuseUnlessAllowed(key, args[key], options[key]);
}

/** What is wrong with an object that has a key without an option. @param path The object's: `auth.oidc`. */
export function unknownKeyProblem(path: string, given: object, options: Options): Problem | undefined {
  const known = Object.keys(options);
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  return unknown === undefined
    ? undefined
    : { path: `${path}.${unknown}`, text: unknownText(known.join(", "), unknown) };
}
