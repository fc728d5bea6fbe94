/** A function's environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that must be set and not empty. */
export function text(environment: Environment, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`${name} is not set: the component sets it in the function's environment`);
  return value;
}

/** A variable that is a whole number above zero. */
export function positiveInteger(environment: Environment, name: string): number {
  const value = text(environment, name);
  if (!/^[1-9]\d*$/.test(value) || !Number.isSafeInteger(Number(value))) {
    throw new Error(`${name} is ${JSON.stringify(value)}: expected a whole number above zero`);
  }
  return Number(value);
}

/** A variable that is an absolute http(s) URL. */
export function url(environment: Environment, name: string): string {
  const value = text(environment, name);
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new Error(`${name} is ${JSON.stringify(value)}: expected an https URL`);
  }
  return value;
}

/** A variable that is a JSON array of strings, or JSON's null. */
export function stringListOrNull(environment: Environment, name: string): readonly string[] | null {
  const value = json(environment, name);
  if (value !== null && !(Array.isArray(value) && value.every((item) => typeof item === "string"))) {
    throw new Error(`${name} is neither a JSON array of strings nor null`);
  }
  return value;
}

/** A variable that is JSON. */
export function json(environment: Environment, name: string): unknown {
  try {
    return JSON.parse(text(environment, name));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`${name} is not JSON: ${error.message}`, { cause: error });
    throw error;
  }
}
