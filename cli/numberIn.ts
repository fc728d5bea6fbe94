import { InvalidArgumentError } from "commander";

/** Parses an option whose value is a number in this range. */
export function numberIn(min: number, max: number, whole?: "whole"): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(
      `Allowed: a ${whole ? "whole " : ""}number from ${min.toLocaleString("en-US")} to ${max.toLocaleString("en-US")}.`,
    );
  };
}
