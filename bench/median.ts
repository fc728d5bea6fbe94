/** The middle one, or the mean of the two in the middle: what a neighbour's noise moves least. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("nothing was measured");
  return (low + high) / 2;
}

/** As many digits as such a measurement has to say. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

/** The value that this part of the others does not exceed, by nearest rank: with fewer than a hundred, p99 is the largest. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  if (value === undefined) throw new Error("nothing was measured");
  return value;
}
