import * as pulumi from "@pulumi/pulumi";

/** What is wrong with an argument: which, and the rest of the sentence after its name. */
export interface Problem {
  path: string;
  text: string;
}

/** @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do. */
export function refuse(propertyPath: string, got: unknown, allowed: string, fix: string): never {
  throw inputError(propertyPath, problemText(got, allowed, fix));
}

/** Refuses where there is a problem, told in full already. */
export function refuseProblem(propertyPath: string, problem: string | undefined): void {
  if (problem !== undefined) throw inputError(propertyPath, problem);
}

/** Refuses a number that is not whole, or out of its range. */
export function refuseUnlessInteger(path: string, value: unknown, min: number, max: number, byDefault: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    refuse(path, value, `a whole number from ${min} to ${max}`, `leave it out for the default of ${byDefault}`);
  }
}

/** Refuses what is neither true nor false: a text would count as true, "false" too. */
export function refuseUnlessBoolean(path: string, value: unknown): void {
  if (typeof value !== "boolean") refuse(path, value, "true or false, without quotes", "write one of them");
}

/**
 * The input itself, checked now where its value is known, else as soon as it is: then the output fails.
 *
 * @throws pulumi.InputPropertyError where its value is known and refused.
 */
export function checkedInput(
  path: string,
  input: pulumi.Input<string>,
  problemOf: (value: unknown) => string | undefined,
): pulumi.Input<string> {
  if (!isLater(input)) {
    refuseProblem(path, problemOf(input));
    return input;
  }
  return pulumi.output(input).apply((value) => {
    refuseProblem(path, problemOf(value));
    return value;
  });
}

/** Whether a value is known only later. */
export function isLater(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/**
 * The value with `standIn` for whatever in it is known only later, so that it can be written as JSON: an output itself
 * answers JSON.stringify with a page of advice, or throws.
 */
export function replaceLater(value: unknown, standIn: unknown): unknown {
  if (isLater(value)) return standIn;
  if (pulumi.Resource.isInstance(value)) return "a resource";
  if (Array.isArray(value)) return value.map((each) => replaceLater(each, standIn));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceLater(inner, standIn)]));
}

export function problemText(got: unknown, allowed: string, fix: string): string {
  return `got ${JSON.stringify(replaceLater(got, "an output"))}; allowed: ${allowed}. To mend it, ${fix}.`;
}

export function unknownText(allowed: string): string {
  return `got a key of that name; allowed: ${allowed}. To mend it, check the spelling.`;
}

function inputError(propertyPath: string, text: string): pulumi.InputPropertyError {
  return new pulumi.InputPropertyError({ propertyPath, reason: `${propertyPath}: ${text}` });
}
