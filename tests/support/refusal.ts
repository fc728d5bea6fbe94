/** What a promise rejects with; fails where it resolves. */
export async function refusal(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const outcome = await promise.then(
    () => undefined,
    (error: Error) => error,
  );
  if (!outcome) throw new Error("was not refused");
  return outcome;
}
