/** Refuses an input with an error that names the input, its value and the allowed values. */
export type Refuse = (input: string, got: unknown, allowed: string) => never;

/** A refusal of inputs of `resource`, under the name that the service gives the error. */
export function refusal(resource: string, errorName = "InvalidParameterValueException"): Refuse {
  return (input, got, allowed) => {
    throw new Error(`${errorName}: ${input} of ${resource} must be ${allowed}; got ${show(got)}.`);
  };
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
}
