/** A function's environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The component has set every variable to an allowed value: another one was changed since, which only a refresh detects. */
const FIX = "Fix: deploy the relay again with pulumi up --refresh";

/** @throws always: a variable, or the part of it that `path` names, is not what the component has set. */
export function refuseVariable(path: string, got: unknown, allowed: string, cause?: Error): never {
  const shown = JSON.stringify(got) ?? "nothing";
  throw new Error(`${path}: got ${shown}; allowed: ${allowed}. ${FIX}`, { cause });
}

/** A variable that must be set and not empty. */
export function text(environment: Environment, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`${name} is not set in the function's environment. ${FIX}`);
  return value;
}

/** A variable that is a whole number above zero. */
export function positiveInteger(environment: Environment, name: string): number {
  const value = text(environment, name);
  if (!/^[1-9]\d*$/.test(value) || !Number.isSafeInteger(Number(value))) {
    refuseVariable(name, value, "a whole number above zero");
  }
  return Number(value);
}

/** A variable that is a whole number from zero. */
export function wholeNumber(environment: Environment, name: string): number {
  const value = text(environment, name);
  if (!/^(0|[1-9]\d*)$/.test(value) || !Number.isSafeInteger(Number(value))) {
    refuseVariable(name, value, "a whole number from zero");
  }
  return Number(value);
}

/** A variable that is one of these words. */
export function oneOf<T extends string>(environment: Environment, name: string, allowed: readonly T[]): T {
  const value = text(environment, name);
  return allowed.find((each) => each === value) ?? refuseVariable(name, value, allowed.join(" or "));
}

/** A variable that is an absolute http(s) URL. */
export function url(environment: Environment, name: string): string {
  const value = text(environment, name);
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    refuseVariable(name, value, "an absolute https URL");
  }
  return value;
}

/** A variable that is a JSON array of strings, or JSON's null. */
export function stringListOrNull(environment: Environment, name: string): readonly string[] | null {
  const value = json(environment, name);
  if (value !== null && !(Array.isArray(value) && value.every((item) => typeof item === "string"))) {
    refuseVariable(name, value, "a JSON array of strings, or null");
  }
  return value;
}

/** A variable that is JSON. */
export function json(environment: Environment, name: string): unknown {
  const value = text(environment, name);
  try {
    return JSON.parse(value);
  } catch (error) {
    return refuseVariable(name, value, "JSON", error as Error);
  }
}
