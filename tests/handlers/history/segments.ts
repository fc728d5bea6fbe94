import type { Entry, Segment, StoredMessage } from "../../../handlers/history/history";
import { REPORT_GRACE_MS, ttlSlackMs } from "../../../handlers/history/retention";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";

/** What the functions take for the time, unless a test sets its clock. */
export const now = 1_700_000_000_000;

export const retentionMs = 3_600_000;

/** The session that records of `sqsRecord` go to. */
export const key: SessionKey = { callerId: "user#42", context: "chat#7" };

export interface GivenSegment extends Partial<Omit<Segment, "first">> {
  /** Of each message. */
  body?: string;
  /** Of each message. */
  expiresAtMs?: number;
  /** With which it was stored. */
  retentionMs?: number;
  /** Whether it was sealed. */
  isSealed?: boolean;
}

/** A segment of one message, `m{first}`, in the epoch `e1`, stored at `now` with a retention of an hour, and not marked. */
export function segmentOf(first: number, given: GivenSegment = {}): Segment {
  const { body, expiresAtMs, retentionMs: kept = retentionMs, isSealed = false, ...rest } = given;
  const ofEach = { ...(body !== undefined && { body }), ...(expiresAtMs !== undefined && { expiresAtMs }) };
  const messages = rest.messages ?? messagesOf(first, rest.count ?? 1, ofEach);
  const { storedAtMs = now, untilMs = storedAtMs + kept } = rest;
  return {
    first,
    count: messages.length,
    epoch: "e1",
    generation: 0,
    storedAtMs,
    untilMs,
    reported: [],
    recent: { coveredFromMs: 0, groups: [] },
    dueAtMs: untilMs + REPORT_GRACE_MS,
    isMarked: false,
    ttlMs: isSealed ? undefined : untilMs + ttlSlackMs(kept),
    ...rest,
    messages: isSealed ? [] : messages,
  };
}

/** Segments of one message each, with these numbers. */
export function segmentsOf(first: number, last: number, given: GivenSegment = {}): Segment[] {
  return Array.from({ length: last - first + 1 }, (_, i) => segmentOf(first + i, given));
}

export function messageOf(id: string, given: Partial<StoredMessage> = {}): StoredMessage {
  return { id, body: `body of ${id}`, ...given };
}

/** Messages with these numbers: `m{seq}`. */
export function messagesOf(first: number, count: number, given: Partial<StoredMessage> = {}): StoredMessage[] {
  return Array.from({ length: count }, (_, i) => messageOf(`m${first + i}`, given));
}

/** An entry of a session's log: `m{seq}`, alone in a segment that was stored at `now`. */
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
