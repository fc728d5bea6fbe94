/** The middle value, or the mean of the two middle ones: the figure that noise of the machine affects least. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("no value was measured");
  return (low + high) / 2;
}

/** Rounded to the digits that such a measurement is worth. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

/** The value that this share of the values does not exceed, by nearest rank: with fewer than a hundred values, p99 is the largest. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  if (value === undefined) throw new Error("no value was measured");
  return value;
}
