import type { Entry, Segment } from "./history";
import { endMs, isPastItsOwnExpiry, MIN_VISIT_GAP_MS, REPORT_GRACE_MS, waitingVisitAtMs } from "./retention";
import { entriesOf, isSealed } from "./segment";

/** What is the same for a whole visit. */
export interface VisitTime {
  retentionMs: number;
  /** After how long an open message gets the receipt `waiting`; undefined if none does. */
  waitingAfterMs?: number;
  /** When the visit began. */
  nowMs: number;
}

/** What a visit knows of its session once it has reported what has expired. */
export interface Visited {
  /** The segment that brought the visit. */
  marked: Segment;
  tail: Segment;
  /** The segment of the first message that is neither acknowledged nor reported; undefined if there is none. */
  open: Segment | undefined;
  /** The messages through this number are acknowledged or reported. */
  doneThrough: number;
  /** The segment of the first open message that is too young for its receipt `waiting`; undefined if there is none. */
  young?: Segment;
  /** When the next visit comes that another segment brings, of those that were read for receipts `waiting`. */
  otherDueAtMs?: number;
}

/** What a visit does last. Whatever it is, `marked` leaves the index afterwards, unless it is the one that is marked. */
export type VisitPlan =
  /** The tail's messages have expired: only its numbers are still needed. */
  | { do: "seal" }
  | { do: "mark"; segment: Segment; dueAtMs: number }
  /** The next visit is already planned, or the session needs none. */
  | { do: "nothing" };

/** Whether the segment's messages are to be reported. The segments that have ended are a prefix of the log. */
export function hasEnded(segment: Segment, { retentionMs, nowMs }: VisitTime): boolean {
  return reportedAtMs(segment, retentionMs) <= nowMs;
}

/** The segment's messages that are neither acknowledged nor reported. */
export function openEntriesOf(segment: Segment, doneThrough: number): Entry[] {
  return entriesOf(segment).filter(({ seq, body }) => body !== undefined && seq > doneThrough);
}

/** The open messages of a segment that has not ended, which are to be reported since their publisher's own `expiresAt` has passed. */
export function pastTheirOwnExpiry(segment: Segment, doneThrough: number, time: VisitTime): Entry[] {
  if (hasEnded(segment, time)) return [];
  return openEntriesOf(segment, doneThrough).filter((entry) => isPastItsOwnExpiry(entry, time.nowMs - REPORT_GRACE_MS));
}

/**
 * When and by which segment the session is visited next: when its oldest open message is to be reported, or else when the tail
 * is to be sealed; before that, when the next receipt `waiting` is to be published. The due time of a segment that is marked only changes when it brings a visit: segments that were stored since
 * may rely on it.
 */
export function planVisit(visited: Visited, time: VisitTime): VisitPlan {
  const { marked, tail, open, doneThrough, young } = visited;
  // Only what is reported is sealed. The next message's segment brings the next visit.
  if (isSealed(tail)) return { do: "nothing" };
  const isMarkedTail = marked.first === tail.first;
  // No other segment seals the tail: after a crash, a sealed segment must bring the visit that looks after it.
  if (isMarkedTail && hasEnded(tail, time)) return { do: "seal" };

  const oldest = open ?? tail;
  const reportAtMs = reportedAtMs(oldest, time.retentionMs);
  const waitingAtMs =
    young && time.waitingAfterMs !== undefined ? waitingVisitAtMs(young, time.waitingAfterMs) : Infinity;
  const ownExpiryMs = nextOwnExpiryMs(marked, doneThrough, time);
  const neededAtMs = Math.min(ownExpiryMs ?? Infinity, reportAtMs, waitingAtMs);
  const dueAtMs = Math.max(neededAtMs, time.nowMs + MIN_VISIT_GAP_MS);
  // A visit looks for own expiries only in the segment that brings it.
  if (ownExpiryMs !== undefined) return { do: "mark", segment: marked, dueAtMs };
  if (comesBefore(dueAtMs, [tail.laterDueAtMs, visited.otherDueAtMs], time)) return { do: "nothing" };

  const next = young && waitingAtMs < reportAtMs ? young : oldest;
  if (isMarkedTail || next.first === marked.first) return { do: "mark", segment: marked, dueAtMs };
  if (next.isMarked || isPlanned(tail, dueAtMs, time)) return { do: "nothing" };
  return { do: "mark", segment: next, dueAtMs };
}

/**
 * Whether one of these visits, which other segments bring, is yet to come and early enough. One whose time has passed may be over,
 * or may rely on this one.
 */
function comesBefore(dueAtMs: number, otherDueAtMs: readonly (number | undefined)[], { nowMs }: VisitTime): boolean {
  return otherDueAtMs.some((atMs = Infinity) => atMs > nowMs && atMs <= dueAtMs);
}

/**
 * Whether the session is visited until then: by the tail, which may be due already, or by the segment whose due time the tail
 * has carried on. If that time has passed, that visit may be over.
 */
function isPlanned(
  { dueAtMs: plannedMs = Infinity, isMarked }: Segment,
  dueAtMs: number,
  { nowMs }: VisitTime,
): boolean {
  return plannedMs <= dueAtMs && (isMarked || plannedMs > nowMs);
}

/** When the next of its open messages is reported for its publisher's own `expiresAt`; undefined if the retention ends before. */
function nextOwnExpiryMs(segment: Segment, doneThrough: number, time: VisitTime): number | undefined {
  if (hasEnded(segment, time)) return undefined;
  const reported = openEntriesOf(segment, doneThrough)
    .map(({ expiresAtMs = Infinity }) => expiresAtMs + REPORT_GRACE_MS)
    .filter((atMs) => atMs > time.nowMs);
  const nextMs = Math.min(...reported);
  return nextMs < reportedAtMs(segment, time.retentionMs) ? nextMs : undefined;
}

function reportedAtMs(segment: Segment, retentionMs: number): number {
  return endMs(segment, retentionMs) + REPORT_GRACE_MS;
}
