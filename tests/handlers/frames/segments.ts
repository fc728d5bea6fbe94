import type { Segment } from "../../../handlers/history/history";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { MemoryHistory } from "../../support/memoryHistory";

/** What the functions take for the time, unless a test sets its clock. */
export const now = 1_700_000_000_000;

export const retentionMs = 3_600_000;

/** When it was stored, what has just expired. */
export const expired = now - retentionMs;

export const key: SessionKey = { callerId: "user#42", context: "chat#7" };

export interface GivenSegment extends Partial<Omit<Segment, "first" | "messages">> {
  /** Of each message. */
  body?: string;
  /** Of each message. */
  expiresAtMs?: number;
  /** Whether it was sealed. */
  isSealed?: boolean;
}

/** A segment that was stored a second ago, in the epoch `e`; its messages are `m{seq}`. */
export function segmentOf(first: number, given: GivenSegment = {}): Segment {
  const { count = 1, body, expiresAtMs, isSealed = false, storedAtMs = now - 1_000, ...rest } = given;
  const untilMs = storedAtMs + retentionMs;
  const messages = Array.from({ length: count }, (_, position) => ({
    id: `m${first + position}`,
    body: body ?? `body ${first + position}`,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  }));
  return {
    first,
    count,
    epoch: "e",
    generation: 0,
    storedAtMs,
    untilMs,
    messages: isSealed ? [] : messages,
    reported: [],
    recent: { coveredFromMs: 0, groups: [] },
    dueAtMs: untilMs,
    isMarked: false,
    ttlMs: isSealed ? undefined : untilMs + 3 * 86_400_000,
    ...rest,
  };
}

/** Segments of one message each, with these numbers. */
export function segmentsOf(first: number, last: number, given: GivenSegment = {}): Segment[] {
  return Array.from({ length: last - first + 1 }, (_, i) => segmentOf(first + i, given));
}

/** Stores segments as `deliver` would have. */
export async function store(history: MemoryHistory, ...segments: Segment[]): Promise<void> {
  for (const segment of segments) await history.put(key, segment);
  history.calls.length = 0;
}
