import * as pulumi from "@pulumi/pulumi";
import { isObject } from "../../handlers/isObject";
import type { WebsocketRelayArgs } from "../args/args";
import { isDeferred, refuse, refuseUnknownKeys, refuseUnlessBoolean } from "../args/refuse";
import { type Option, type Options, spec } from "../args/spec";

/**
 * Converts the arguments of a program in another language into those of the relay. `null` means no value in other languages, so a
 * boolean argument takes its place there.
 *
 * @throws pulumi.InputPropertyError if there is no such argument, if an argument and the boolean that excludes it are both set, or
 *   if neither of the two is set although one is required.
 */
export function relayArgsOf(given: object): WebsocketRelayArgs {
  return ownArgs("", given as Record<string, unknown>, spec) as unknown as WebsocketRelayArgs;
}

function ownArgs(prefix: string, given: Record<string, unknown>, options: Options): Record<string, unknown> {
  const known = Object.entries(options).flatMap(([key, { programOnly, remote }]) => [
    ...(programOnly ? [] : [key]),
    ...(remote?.nullAs ? [remote.nullAs.key] : []),
  ]);
  // Before the relay's own check, which would list the arguments of TypeScript.
  refuseUnknownKeys(prefix, given, known);
  // In the order of the spec: keys arrive in any order, and some become part of a function's environment, as JSON.
  const own = Object.entries(options).map(([key, option]) => [key, ownValue(prefix, key, option, given)]);
  return Object.fromEntries(own.filter(([, value]) => value !== undefined)) as Record<string, unknown>;
}

function ownValue(prefix: string, key: string, option: Option, given: Record<string, unknown>): unknown {
  const value = given[key] ?? undefined;
  const nullKey = option.remote?.nullAs?.key;
  if (nullKey !== undefined) {
    const isNull = given[nullKey] ?? false;
    refuseUnlessBoolean(`${prefix}${nullKey}`, isNull);
    if (isNull && value !== undefined) {
      refuse(`${prefix}${nullKey}`, true, `false where ${key} is set`, `remove ${key} or ${nullKey}`);
    }
    if (!isNull && value === undefined && option.required) {
      refuse(`${prefix}${key}`, value, `a value, unless ${nullKey} is true`, `set ${key}`);
    }
    if (isNull) return null;
  }
  // The relay refuses an output in the place of an object.
  if (isDeferred(value) && option.keys !== undefined) return value;
  if (option.keys === undefined) return sorted(value);
  return isObject(value) ? ownArgs(`${prefix}${key}.`, value, option.keys) : value;
}

/** The value with the keys of each object in alphabetical order. */
function sorted(value: unknown): unknown {
  if (isDeferred(value)) return pulumi.output(value as pulumi.Input<object>).apply(sorted);
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
