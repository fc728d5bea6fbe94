import type { SessionKey } from "../sessions/sessionKey";
import type { History, Segment } from "./history";
import { hasBodies } from "./retention";
import { lastSeqOf } from "./segment";

/** What is known of a log before its oldest available number is sought. */
export interface Known {
  /** The first segment that exists; undefined if none was stored when it was read. */
  head: Segment | undefined;
  /** Any others, the last one among them. */
  segments: readonly Segment[];
  /** The number at which to look first. A wrong one only costs calls. */
  hint: number;
}

export interface Circumstances {
  retentionMs: number;
  nowMs: number;
  signal?: AbortSignal;
}

/**
 * The first number of the first segment that is available; the number after the last one if none is. It takes no call if the
 * log is available from its first number on, or not at all, and one call if the hint is right.
 */
export async function findOldest(
  history: Pick<History, "readBack">,
  key: SessionKey,
  { head, segments, hint }: Known,
  { retentionMs, nowMs, signal }: Circumstances,
): Promise<number> {
  // The others are a prefix of the log.
  const isAvailable = (segment: Segment) => hasBodies(segment, retentionMs, nowMs);

  const known = [...(head ? [head] : []), ...segments].sort((a, b) => a.first - b.first);
  const firstAvailable = known.find(isAvailable);
  const lastExpired = known.findLast((segment) => !isAvailable(segment));
  /** The oldest number is in this range. */
  let low = lastExpired ? lastSeqOf(lastExpired) + 1 : 1;
  if (!firstAvailable) return low;
  let high = firstAvailable.first;
  // A response is no snapshot: the segment before the first one may have been stored while it was read.
  const isHead = firstAvailable === head;

  for (let at = isHead ? high - 1 : hint; low < high; at = Math.floor((low + high) / 2)) {
    at = Math.min(Math.max(at, low), high - 1);
    // The one before it proves that it is the oldest. A response always holds two items.
    const read = await history.readBack(key, at, 2, signal);
    const [last, before] = read.filter(({ first }) => first >= low);
    if (!last) low = at + 1;
    else if (!isAvailable(last)) low = lastSeqOf(last) + 1;
    else if (before && isAvailable(before)) high = before.first;
    else return last.first;
  }
  return high;
}
