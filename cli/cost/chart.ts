/** A bar and what it is for. */
export interface Bar {
  label: string;
  value: number;
}

const LEAST_BAR = 10;
const CYAN = ["\u001b[36m", "\u001b[39m"] as const;

/**
 * Bars in plain characters, scaled to the largest value, each with its value in USD.
 *
 * @param columns The terminal's width: a bar takes what label and value leave of it, 10 characters at least.
 */
export function barChart(bars: readonly Bar[], columns: number, isColored: boolean): string {
  const labels = Math.max(0, ...bars.map(({ label }) => label.length));
  const values = bars.map(({ value }) => value.toFixed(2));
  const digits = Math.max(0, ...values.map(({ length }) => length));
  const width = Math.max(LEAST_BAR, columns - labels - digits - "  ".length - "  ".length);
  const largest = Math.max(...bars.map(({ value }) => value));
  const colored = (bar: string) => (isColored && bar !== "" ? CYAN.join(bar) : bar);
  return bars
    .map(({ label, value }, index) => {
      const length = largest > 0 ? Math.round((value / largest) * width) : 0;
      const bar = "#".repeat(value > 0 ? Math.max(1, length) : 0);
      return `${label.padEnd(labels)}  ${(values[index] ?? "").padStart(digits)}  ${colored(bar)}`.trimEnd();
    })
    .join("\n");
}
