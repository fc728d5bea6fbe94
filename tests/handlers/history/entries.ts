import type { Entry, Segment, StoredMessage } from "../../../handlers/history/history";

export const now = 1_700_000_000_000;

/** The session that records of `sqsRecord` go to. */
export const key = { callerId: "user#42", context: "chat#7" };

const retentionMs = 3_600_000;

/** A message of a segment: `m{seq}`. */
export function storedOf(seq: number, given: Partial<StoredMessage> = {}): StoredMessage {
  return { id: `m${seq}`, body: `body of m${seq}`, ...given };
}

/** A segment of one message, stored at `now` with a retention of an hour. */
export function segmentOf(first: number, given: Partial<Segment> = {}): Segment {
  const { messages = [storedOf(first)] } = given;
  return {
    first,
    count: messages.length,
    epoch: "e1",
    generation: 0,
    storedAtMs: now,
    untilMs: now + retentionMs,
    messages,
    reported: [],
    recent: { coveredFromMs: 0, groups: [] },
    dueAtMs: now + retentionMs + 30_000,
    isMarked: true,
    ttlMs: now + retentionMs + 3 * 86_400_000,
    ...given,
  };
}

/** An entry of a session's history: `m{seq}`, stored at `now`. */
export function entryOf(seq: number, given: Partial<Entry> = {}): Entry {
  return {
    epoch: "e1",
    seq,
    segmentFirst: seq,
    messageId: `m${seq}`,
    body: `body of m${seq}`,
    storedAtMs: now,
    untilMs: now + retentionMs,
    expiresAtMs: undefined,
    attributes: {},
    ...given,
  };
}
