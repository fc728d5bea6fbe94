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

/** 32 bits of an id's digest. */
export function hashOfId(id: string): number {
  return createHash("sha256").update(id).digest().readUInt32BE(0);
}

/** Without the oldest group. */
export function withoutOldest({ groups: [oldest, ...groups], coveredFromMs }: RecentIds): RecentIds {
  return { coveredFromMs: oldest ? oldest.storedAtMs + 1 : coveredFromMs, groups };
}
