const unitsMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The period of an EventBridge rate expression in milliseconds, as `rate(5 minutes)`; undefined where it is none. The unit
 * of 1 is singular, that of more is plural. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
 */
export function ratePeriodMs(expression: string): number | undefined {
  const [, count = "", unit = "", plural = ""] = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  if (count === "" || (count === "1") !== (plural === "")) return undefined;
  return Number(count) * (unitsMs[unit] ?? 0);
}
