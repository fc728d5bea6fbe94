/** Epoch milliseconds with fractions, by the one clock that all processes of a machine have. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
