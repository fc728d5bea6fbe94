/** What promises rejected with in tests that expected it. */
const expectedErrors = new WeakSet<object>();

/** Whether a test has expected this error: where a Pulumi output fails, promises of Pulumi's own reject with it, too. */
export function isExpected(error: unknown): boolean {
  return typeof error === "object" && error !== null && expectedErrors.has(error);
}

/** What a promise rejects with; fails where it resolves. */
export async function refusal(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const outcome = await promise.then(
    () => undefined,
    (error: Error) => error,
  );
  if (!outcome) throw new Error("was not refused");
  expectedErrors.add(outcome);
  return outcome;
}
