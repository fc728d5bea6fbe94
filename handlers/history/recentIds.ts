import { createHash } from "node:crypto";

/**
 * The ids of the messages directly before a segment, as hashes, without a hole, oldest first. A hash only says where to look:
 * its message is read before it counts as known.
 */
export interface RecentIds {
  /** Every message before the segment that was stored at this time or later is in `groups`. In epoch milliseconds; 0: every one is. */
  coveredFromMs: number;
  /** A segment each, as long as they fit. */
  groups: readonly RecentGroup[];
}

export interface RecentGroup {
  storedAtMs: number;
  /** One for each message of the segment. */
  hashes: readonly number[];
}

const TIME_BYTES = 6;
const COUNT_BYTES = 1;
const HASH_BYTES = 4;

/** 32 bits of an id's digest. */
export function hashOfId(id: string): number {
  return createHash("sha256").update(id).digest().readUInt32BE(0);
}

/** Without the oldest group. */
export function withoutOldest({ groups: [oldest, ...groups], coveredFromMs }: RecentIds): RecentIds {
  return { coveredFromMs: oldest ? oldest.storedAtMs + 1 : coveredFromMs, groups };
}

/** The newest groups, as many as fit into `maxBytes` when encoded. */
export function newestIn(maxBytes: number, { coveredFromMs, groups }: RecentIds): RecentIds {
  let kept = groups.length;
  let size = TIME_BYTES;
  for (let group = groups[kept - 1]; group; group = groups[kept - 1]) {
    size += groupBytes(group.hashes.length);
    if (size > maxBytes) return { coveredFromMs: group.storedAtMs + 1, groups: groups.slice(kept) };
    kept -= 1;
  }
  return { coveredFromMs, groups };
}

/** The newest groups that fit into `maxBytes`; undefined if not even their header does. */
export function encodeRecentIds(recent: RecentIds, maxBytes: number): Buffer | undefined {
  if (maxBytes < TIME_BYTES) return undefined;
  const { coveredFromMs, groups } = newestIn(maxBytes, recent);
  const bytes = Buffer.alloc(groups.reduce((sum, { hashes }) => sum + groupBytes(hashes.length), TIME_BYTES));
  let at = bytes.writeUIntBE(coveredFromMs, 0, TIME_BYTES);
  for (const { storedAtMs, hashes } of groups) {
    at = bytes.writeUIntBE(storedAtMs, at, TIME_BYTES);
    at = bytes.writeUInt8(hashes.length, at);
    for (const hash of hashes) at = bytes.writeUInt32BE(hash, at);
  }
  return bytes;
}

/** @throws RangeError if the bytes end within a group. */
export function decodeRecentIds(given: Uint8Array): RecentIds {
  const bytes = Buffer.from(given);
  const coveredFromMs = bytes.readUIntBE(0, TIME_BYTES);
  const groups: RecentGroup[] = [];
  for (let at = TIME_BYTES; at < bytes.length;) {
    const storedAtMs = bytes.readUIntBE(at, TIME_BYTES);
    const count = bytes.readUInt8(at + TIME_BYTES);
    const start = at + TIME_BYTES + COUNT_BYTES;
    groups.push({
      storedAtMs,
      hashes: Array.from({ length: count }, (_, i) => bytes.readUInt32BE(start + i * HASH_BYTES)),
    });
    at += groupBytes(count);
  }
  return { coveredFromMs, groups };
}

function groupBytes(count: number): number {
  return TIME_BYTES + COUNT_BYTES + count * HASH_BYTES;
}
