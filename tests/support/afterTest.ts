const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Runs these when the test ends, the last one first. */
export function afterTest(...given: (() => unknown)[]): void {
  cleanUps.push(...given);
}
