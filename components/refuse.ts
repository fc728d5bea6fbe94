import * as pulumi from "@pulumi/pulumi";

/** @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do. */
export function refuse(propertyPath: string, got: unknown, allowed: string, fix: string): never {
  throw new pulumi.InputPropertyError({
    propertyPath,
    reason: `${propertyPath}: got ${JSON.stringify(got)}; allowed: ${allowed}. To mend it, ${fix}.`,
  });
}

/** Refuses where there is a problem, told in full already. */
export function refuseProblem(propertyPath: string, problem: string | undefined): void {
  if (problem !== undefined) {
    throw new pulumi.InputPropertyError({ propertyPath, reason: `${propertyPath}: ${problem}` });
  }
}

/** Whether a value is known only later. */
export function isLater(value: unknown): value is pulumi.Output<unknown> | Promise<unknown> {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}
