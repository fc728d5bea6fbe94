/** Refuses an input: which, what it got, and what is allowed. */
export type Refuse = (input: string, got: unknown, allowed: string) => never;

/** A refusal of inputs of `resource`, under the name that the service gives the error. */
export function refusal(resource: string, errorName = "InvalidParameterValueException"): Refuse {
  return (input, got, allowed) => {
    throw new Error(`${errorName}: ${input} of ${resource} must be ${allowed}; got ${show(got)}.`);
  };
}

/** Whether `text` is a JSON object: what AWS takes as a policy or a dashboard's body. */
export function isJsonObject(text: unknown): text is string {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
}
