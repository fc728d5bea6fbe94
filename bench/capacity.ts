import type { AttributeValue } from "@aws-sdk/client-dynamodb";

export type Item = Record<string, AttributeValue>;

/** A global index: its keys, and the attributes of its lines. */
export interface Index {
  keys: readonly string[];
  projected: readonly string[] | "all";
}

/** A unit writes 1 KB, or reads 4 KB consistently. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html */
const [WRITE_UNIT_BYTES, READ_UNIT_BYTES] = [1024, 4096];

/** Bytes of an item as DynamoDB counts them. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

/**
 * Units of one write: in the table by the larger of the old and the new item, in each index by its change. A write whose
 * condition fails costs as much as the existing item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
 */
export function writeUnits(
  before: Item | undefined,
  after: Item | undefined,
  indexes: readonly Index[],
  tableKeys: readonly string[],
): number {
  const table = Math.max(unitsOf(before, WRITE_UNIT_BYTES), unitsOf(after, WRITE_UNIT_BYTES));
  return indexes.reduce((sum, index) => sum + indexUnits(index, before, after, tableKeys), table);
}

/** Units of a consistent read of one item, or of its absence. */
export function readUnits(item: Item | undefined): number {
  return unitsOf(item, READ_UNIT_BYTES);
}

function indexUnits(
  index: Index,
  before: Item | undefined,
  after: Item | undefined,
  tableKeys: readonly string[],
): number {
  const [was, is] = [lineOf(index, before, tableKeys), lineOf(index, after, tableKeys)];
  if (JSON.stringify(was) === JSON.stringify(is)) return 0;
  const moved = was && is && index.keys.some((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]));
  const [wasUnits, isUnits] = [unitsOf(was, WRITE_UNIT_BYTES), unitsOf(is, WRITE_UNIT_BYTES)];
  // A line whose key changes is deleted and written again.
  if (moved) return wasUnits + isUnits;
  return Math.max(was ? wasUnits : 0, is ? isUnits : 0);
}

/** An item's line in an index; undefined if the item lacks one of the index's keys. */
function lineOf({ keys, projected }: Index, item: Item | undefined, tableKeys: readonly string[]): Item | undefined {
  if (!item || keys.some((key) => !(key in item))) return undefined;
  if (projected === "all") return item;
  const names = [...new Set([...keys, ...tableKeys, ...projected])].sort();
  return Object.fromEntries(names.flatMap((name) => (item[name] ? [[name, item[name]]] : [])));
}

function unitsOf(item: Item | undefined, unitBytes: number): number {
  return item ? Math.max(1, Math.ceil(itemBytes(item) / unitBytes)) : 1;
}

/** A list or a map has 3 bytes of its own, and one for each of its members. */
function valueBytes(value: AttributeValue): number {
  const { S, N, B, BOOL, NULL, SS, NS, BS, L, M } = value;
  const sum = <T>(values: readonly T[], bytes: (value: T) => number) =>
    values.reduce((total, each) => total + bytes(each), 0);
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return numberBytes(N);
  if (B !== undefined) return binaryBytes(B);
  if (BOOL !== undefined || NULL !== undefined) return 1;
  if (SS !== undefined) return sum(SS, (text) => Buffer.byteLength(text));
  if (NS !== undefined) return sum(NS, numberBytes);
  if (BS !== undefined) return sum(BS, binaryBytes);
  if (L !== undefined) return 3 + sum(L, (member) => 1 + valueBytes(member));
  if (M !== undefined) return 3 + itemBytes(M) + Object.keys(M).length;
  throw new Error(`unexpected attribute: ${Object.keys(value)}; allowed: DynamoDB's types. Fix: extend valueBytes`);
}

/** About one byte per two digits, plus one. */
function numberBytes(digits: string): number {
  return Math.ceil(digits.length / 2) + 1;
}

/** In a request's JSON, bytes are base64. */
function binaryBytes(value: Uint8Array | string): number {
  return typeof value === "string" ? Buffer.from(value, "base64").length : value.length;
}
