/** Epoch milliseconds with fractions, by the clock that all processes of a machine share. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
