const cleanUps: (() => unknown)[] = [];
afterEach(() => runAll(cleanUps.splice(0).reverse()));

/** Runs these when the test ends, the last one first. */
export function afterTest(...given: (() => unknown)[]): void {
  cleanUps.push(...given);
}

/**
 * Runs all in order, even if some fail.
 *
 * @throws The first error.
 */
export async function runAll(given: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const each of given) {
    try {
      await each();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
