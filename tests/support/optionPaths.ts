import { type Option, type Options, spec } from "../../components/args/spec";

/** Every option, those of objects too, with its path: `auth.oidc.issuer`. */
export function optionsWithPaths(options: Options = spec, prefix = ""): { path: string; option: Option }[] {
  return Object.entries(options).flatMap(([key, option]) => [
    { path: `${prefix}${key}`, option },
    ...optionsWithPaths(option.keys ?? {}, `${prefix}${key}.`),
  ]);
}

/** The arguments that have the value at the path: `alarms.deadLetters` and 1 make `{ alarms: { deadLetters: 1 } }`. */
export function argsWith(path: string, value: unknown): Record<string, unknown> {
  const [key = "", ...rest] = path.split(".");
  return { [key]: rest.length === 0 ? value : argsWith(rest.join("."), value) };
}
