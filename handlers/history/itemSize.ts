import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "../tableClient";

/** A write unit writes 1 KB. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html */
export const WRITE_UNIT_BYTES = 1024;

/**
 * Bytes of an item as DynamoDB counts them, names included. What it says of numbers is approximate.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

/** Units that a write of so many bytes costs. */
export function writeUnitsOf(bytes: number): number {
  return Math.ceil(bytes / WRITE_UNIT_BYTES);
}

/** Of the types that a segment has. */
function valueBytes({ S = "", N, B, NS = [] }: AttributeValue): number {
  if (B) return B.byteLength;
  const numbers = N === undefined ? NS : [N];
  // A byte for two digits, and one more.
  return numbers.reduce((sum, number) => sum + Math.ceil(number.length / 2) + 1, Buffer.byteLength(S));
}
