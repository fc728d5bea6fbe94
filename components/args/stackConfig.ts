import * as pulumi from "@pulumi/pulumi";
import type { WebsocketRelayArgs } from "./args";
import { refuseProblem, unknownText } from "./refuse";
import { type Option, spec } from "./spec";

/**
 * The arguments in the project's stack config: each argument has its own name there.
 *
 * @throws pulumi.RunError where `auth` is missing, a value is not of its type, or the config has a key that no argument has.
 */
export function argsFromConfig(config: pulumi.Config): WebsocketRelayArgs {
  const values = Object.entries<Option>(spec).map(([key, option]) => [key, readValue(config, key, option)]);
  refuseUnknownConfig(config.name, Object.keys(spec));
  return Object.fromEntries(values) as WebsocketRelayArgs;
}

function readValue(config: pulumi.Config, key: string, option: Option): unknown {
  if (option.required) return config.requireObject(key);
  const value = read(config, key, option.type);
  // The CLI requires a default for each key that Pulumi.yaml declares: an empty string or object means that none is set.
  const isEmpty = value === "" || JSON.stringify(value) === "{}";
  return isEmpty && option.default === undefined ? undefined : value;
}

function read(config: pulumi.Config, key: string, type: Option["type"]): unknown {
  switch (type) {
    case "integer":
      return config.getNumber(key);
    case "boolean":
      return config.getBoolean(key);
    case "string":
      return config.get(key);
    default:
      return config.getObject(key);
  }
}

/**
 * Refuses a key of the project's stack config that the program does not read: the CLI lets it through, and the setting that
 * it was meant to change would silently keep its default.
 *
 * @throws pulumi.InputPropertyError naming the key and the known ones.
 */
export function refuseUnknownConfig(project: string, known: string[]): void {
  const prefix = `${project}:`;
  for (const qualified of Object.keys(pulumi.runtime.allConfig())) {
    const key = qualified.slice(prefix.length);
    if (qualified.startsWith(prefix) && !known.includes(key)) {
      refuseProblem(`config ${key}`, unknownText(known, key, `, or run pulumi config rm ${key}`));
    }
  }
}
