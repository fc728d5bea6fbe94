import type { Segment, StoredMessage } from "../../../handlers/history/history";

export const now = 1_700_000_000_000;

/** The session that records of `sqsRecord` go to. */
export const key = { callerId: "user#42", context: "chat#7" };

/** A segment of a session's history: of `count` messages `m{number}`, stored at `now`. */
export function segmentOf(first: number, count = 1, given: Partial<Segment> = {}): Segment {
  return {
    first,
    count,
    epoch: "e1",
    generation: 0,
    storedAtMs: now,
    untilMs: now + 86_400_000,
    messages: Array.from({ length: count }, (_, i) => messageOf(`m${first + i}`)),
    reported: [],
    recent: { coveredFromMs: 0, groups: [] },
    dueAtMs: now + 86_430_000,
    isMarked: false,
    ttlMs: now + 345_600_000,
    ...given,
  };
}

export function messageOf(id: string, given: Partial<StoredMessage> = {}): StoredMessage {
  return { id, body: `body of ${id}`, ...given };
}
