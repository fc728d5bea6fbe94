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

function valueBytes({ S, N, BOOL, B, M, L, SS, NS, ...other }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  // About one byte per two digits, plus one.
  if (N !== undefined) return Math.ceil(N.length / 2) + 1;
  if (BOOL !== undefined) return 1;
  if (B !== undefined) return B.length;
  // A list or map has three bytes of its own, and one for each element.
  if (M !== undefined) return 3 + Object.keys(M).length + itemBytes(M);
  if (L !== undefined) return L.reduce((sum, value) => sum + 1 + valueBytes(value), 3);
  const set = SS?.map((each) => ({ S: each })) ?? NS?.map((each) => ({ N: each }));
  if (set) return set.reduce((sum, value) => sum + valueBytes(value), 0);
  throw new Error(
    `unexpected attribute: ${Object.keys(other)}; allowed: S, N, BOOL, B, M, L, SS, NS. Fix: extend valueBytes`,
  );
}
