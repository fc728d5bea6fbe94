import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

type Values = Record<string, unknown>;

interface ConfigDeclaration {
  type?: "string" | "boolean" | "integer" | "array" | "object";
  items?: { type?: string };
  default?: unknown;
}

/** A project's name and the values that a stack's program sees, keyed by the part after `{project}:`. */
export interface StackConfig {
  project: string;
  values: Values;
}

/**
 * What the CLI does before it runs a program: reads the project's declarations, merges their defaults with the stack's
 * values, and checks types. https://www.pulumi.com/docs/iac/concepts/projects/project-file/#configuration-options
 *
 * `overrides` are values for this run alone, as text by their keys.
 *
 * @throws Error that names the stack, or the key, what it got and what to do.
 */
export function readStackConfig(
  programFolder: string,
  stack: string,
  overrides: Readonly<Record<string, string>> = {},
): StackConfig {
  const { name: project, config: declarations = {} } = readYaml(join(programFolder, "Pulumi.yaml")) as {
    name: string;
    config?: Record<string, ConfigDeclaration>;
  };
  const stackFile = join(programFolder, `Pulumi.${stack}.yaml`);
  if (!/^[\w.-]+$/.test(stack) || !existsSync(stackFile)) {
    const known = readdirSync(programFolder).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
    throw new Error(
      `stack ${JSON.stringify(stack)} has no file Pulumi.${stack}.yaml; there are: ${known.join(", ") || "none"}`,
    );
  }
  const stackValues = ((readYaml(stackFile) as { config?: Values } | null)?.config ?? {}) as Values;

  const values: Values = {};
  for (const [key, declaration] of Object.entries(declarations)) {
    if (declaration.default !== undefined && declaration.default !== null) {
      values[key] = declaration.default;
    }
  }
  for (const [qualified, value] of Object.entries(stackValues)) {
    const prefix = `${project}:`;
    // Another namespace, aws:region for one, configures a provider: there is none here.
    if (qualified.startsWith(prefix)) {
      const key = qualified.slice(prefix.length);
      values[key] = fromText(value, declarations[key]?.type);
    }
  }
  for (const [given, value] of Object.entries(overrides)) {
    // The CLI takes a key with its project, too.
    const key = given.replace(new RegExp(`^${project}:`), "");
    // A program need not declare what it reads; what a stack's file says, it does read.
    if (!(key in declarations || key in values)) {
      const known = [...new Set([...Object.keys(declarations), ...Object.keys(values)])].sort();
      throw new Error(
        `--config: Pulumi.yaml declares no config key ${JSON.stringify(given)}; there are: ${known.join(", ") || "none"}. ` +
          `Fix: check the spelling, or set a key that the program reads without a declaration in Pulumi.${stack}.yaml`,
      );
    }
    values[key] = overrideOf(key, value, declarations[key] ?? {});
  }
  for (const [key, value] of Object.entries(values)) {
    if (hasSecret(value)) {
      throw new Error(
        `Pulumi.${stack}.yaml: ${key} is a secret, which only its own stack can decrypt. Fix: give a value for this run with -c ${key}=VALUE`,
      );
    }
  }
  for (const [key, declaration] of Object.entries(declarations)) {
    if (values[key] === undefined || values[key] === null) {
      throw new Error(
        `Stack '${stack}' is missing configuration value '${key}': set it in Pulumi.${stack}.yaml or with pulumi config set`,
      );
    }
    if (!hasType(values[key], declaration)) {
      throw new Error(
        `Stack '${stack}' with configuration key '${key}' must be of type '${declaration.type}', got ${JSON.stringify(values[key])}`,
      );
    }
  }
  return { project, values };
}

/** The values as `pulumi.runtime.setAllConfig` takes them: qualified keys, everything but text as JSON. */
export function asRuntimeConfig({ project, values }: StackConfig): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      `${project}:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/**
 * `auth` with the local issuer in the place of the configured one; all that is not about the issuer stays. The
 * program refuses a placeholder, and no machine can sign for a real issuer.
 */
export function withLocalIssuer(config: StackConfig, oidc: { issuer: string; audience: string }): StackConfig {
  const { userClaim, clockToleranceSeconds, cookieName, endSessionWithToken } = (config.values.auth ?? {}) as Values;
  const auth = { oidc, userClaim, clockToleranceSeconds, cookieName, endSessionWithToken };
  return { ...config, values: { ...config.values, auth } };
}

/** Lets the pages of `origins` connect, besides those of the stack. */
export function withAllowedOrigins(config: StackConfig, origins: readonly string[]): StackConfig {
  const { allowedOrigins = [] } = config.values as { allowedOrigins?: unknown[] };
  return { ...config, values: { ...config.values, allowedOrigins: [...allowedOrigins, ...origins] } };
}

/** A value given on the command line. Without a declared type it stays text, which the program itself reads. */
function overrideOf(key: string, text: string, declaration: ConfigDeclaration): unknown {
  const { type, items } = declaration;
  const value = type === "array" || type === "object" ? fromJson(text) : fromText(text, type);
  if (hasType(value, declaration)) return value;
  const allowed = {
    boolean: "true or false",
    integer: "a whole number",
    array: `a list as JSON, ${items?.type === "string" ? '["a","b"]' : "[…]"}`,
    object: 'an object as JSON, {"key":…}',
  };
  const what = allowed[type as keyof typeof allowed];
  throw new Error(`--config ${key}: got ${JSON.stringify(text)}; allowed: ${what}`);
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The CLI writes numbers and booleans of a stack as text, and reads them back by the declared type. */
function fromText(value: unknown, type: ConfigDeclaration["type"]): unknown {
  if (type === "integer" && typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

/** Whether the CLI has encrypted the value, or one inside it. */
function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return typeof (value as Values).secure === "string" || Object.values(value).some(hasSecret);
}

function hasType(value: unknown, { type, items }: ConfigDeclaration): boolean {
  switch (type) {
    case undefined:
      return true;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value) && value.every((item) => hasType(item, { type: items?.type } as ConfigDeclaration));
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function readYaml(file: string): unknown {
  return parse(readFileSync(file, "utf8"));
}
