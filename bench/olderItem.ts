import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "./capacity";

/** The attribute with the ids that a segment carries, with the times of their segments. */
const RECENT = "recent";

/** An item of the history with all of its times earlier by `ms`, of this commit or of the base. */
export function olderItem(item: Item, ms: number): Item {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      name === RECENT && value.B ? { B: olderRecent(value.B, ms) } : olderValue(value, ms),
    ]),
  );
}

function olderValue(value: AttributeValue, ms: number): AttributeValue {
  const { N, M } = value;
  if (M) return { M: olderItem(M, ms) };
  return N === undefined ? value : { N: String(older(Number(N), ms)) };
}

/** Numbers that are no times are much smaller. */
function older(value: number, ms: number): number {
  if (value > 1e12) return value - ms;
  return value > 1e9 ? value - Math.round(ms / 1_000) : value;
}

function olderRecent(bytes: Uint8Array, ms: number): Uint8Array {
  // The base has no such module, and no such attribute.
  const { decodeRecentIds, encodeRecentIds } =
    require("../handlers/history/recentIds") as typeof import("../handlers/history/recentIds");
  const { coveredFromMs, groups } = decodeRecentIds(bytes);
  const recent = {
    coveredFromMs: older(coveredFromMs, ms),
    groups: groups.map((group) => ({ ...group, storedAtMs: older(group.storedAtMs, ms) })),
  };
  return encodeRecentIds(recent, bytes.byteLength) as Buffer;
}
