import type { Entry, Segment } from "./history";

/**
 * No invocation works on what it has read of a session for longer. Clocks of two workers differ by less.
 */
export const WORKER_LIFE_MS = 30_000;

/** The sweeper reports a message this long after it has expired: a client that has just received it still acknowledges it. */
export const REPORT_GRACE_MS = 30_000;

/** The shortest time between two visits of a session that the sweeper plans. */
export const MIN_VISIT_GAP_MS = 60_000;

/**
 * A visit for receipts `waiting` is due at the earliest this long after its message was stored: so it serves the messages of the
 * half minute after that one, too. Later ones do not rely on it, since it may be under way within two worker lives.
 */
const MIN_WAITING_VISIT_MS = 2 * WORKER_LIFE_MS + 30_000;

/** A copy that the publisher sends again within this time after the first one was stored is recognized. */
export const REPUBLISH_WINDOW_MS = 60_000;

export const DAY_MS = 86_400_000;

/** A last segment whose TTL is this close may be deleted before the next one is stored: the next one begins a new epoch. */
export const ENDANGERED_MS = DAY_MS;

/** How long a segment is kept after its messages have expired: the sweeper may be down for that long without any loss. */
export function ttlSlackMs(retentionMs: number): number {
  return Math.max(3 * DAY_MS, retentionMs / 4);
}

/** When the messages of a segment or an entry expire. The retention may have become shorter since they were stored. */
export function endMs({ storedAtMs, untilMs }: Pick<Segment, "storedAtMs" | "untilMs">, retentionMs: number): number {
  return Math.min(untilMs, storedAtMs + retentionMs);
}

/** When the session is visited for the receipts `waiting` of a segment's messages. They are published by any visit from `waitingAfterMs` on. */
export function waitingVisitAtMs({ storedAtMs }: Pick<Segment, "storedAtMs">, waitingAfterMs: number): number {
  return storedAtMs + Math.max(waitingAfterMs, MIN_WAITING_VISIT_MS);
}

/** Whether a segment or an entry is within the retention. The others are a prefix of the log. */
export function isRetained(
  stored: Pick<Segment, "storedAtMs" | "untilMs">,
  retentionMs: number,
  nowMs: number,
): boolean {
  return endMs(stored, retentionMs) > nowMs;
}

/** Whether the segment's messages are available, as far as the retention decides. One without messages was sealed once. */
export function hasBodies(
  segment: Pick<Segment, "messages" | "storedAtMs" | "untilMs">,
  retentionMs: number,
  nowMs: number,
): boolean {
  return segment.messages.length > 0 && isRetained(segment, retentionMs, nowMs);
}

/** Whether the publisher's own `expiresAt` has passed. */
export function isPastItsOwnExpiry({ expiresAtMs }: Partial<Pick<Entry, "expiresAtMs">>, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/** Whether the entry can be delivered: it has its body and has not expired. */
export function isAvailable(entry: Entry, retentionMs: number, nowMs: number): boolean {
  return entry.body !== undefined && isRetained(entry, retentionMs, nowMs) && !isPastItsOwnExpiry(entry, nowMs);
}
