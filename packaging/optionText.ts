import type { Option } from "../components/args/spec";

/** The allowed values in words; undefined if the type is enough. */
export function allowedOf({ allowed, oneOf, min, max, unit }: Option): string | undefined {
  if (allowed !== undefined) return allowed;
  const units = unit === undefined ? "" : ` ${unit}`;
  if (oneOf !== undefined) return `${oneOf.map((value) => `\`${value}\``).join(", ")}${units}`;
  if (min === undefined || max === undefined) return undefined;
  const durations = [min, max].flatMap((value) => durationOf(value, unit) ?? []);
  const inWords = durations.length === 2 ? ` (${durations.join(" to ")})` : "";
  return `${min.toLocaleString("en-US")} to ${max.toLocaleString("en-US")}${units}${inWords}`;
}

/** Seconds as minutes, hours or days if that is a short number; otherwise undefined. */
export function durationOf(value: number, unit: Option["unit"]): string | undefined {
  if (unit !== "seconds") return undefined;
  for (const [name, seconds, most] of [
    ["day", 86_400, 365],
    ["hour", 3_600, 48],
    ["minute", 60, 90],
  ] as const) {
    const count = value / seconds;
    if (Number.isInteger(count) && count > 0 && count <= most) return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return undefined;
}
