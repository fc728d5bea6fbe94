import type { Resume } from "../../protocol";
import type { SessionKey } from "../sessions/sessionKey";
import { findOldest } from "./findOldest";
import type { History, Segment, SessionCursor } from "./history";
import { NEWEST, readFrom } from "./readRange";
import { type Available, seqIn, type Start, withoutGap } from "./recovery";
import { lastSeqOf } from "./segment";

export interface ReadLogDependencies {
  history: Pick<History, "readBack" | "readOn" | "readCursor">;
  /** How long messages are delivered after they were stored. */
  retentionMs: number;
  /** Epoch milliseconds. */
  now: () => number;
}

/** What a resume reads before anything else, at the same time as the session's row. */
export interface LogEnds {
  /** When reading began. */
  nowMs: number;
  /** The first segment; undefined if none was stored. */
  head: Segment | undefined;
  /** The first page after the client's cursor, and the last segment. */
  segments: Segment[];
  done: SessionCursor;
}

/** The part of a session's log that is read before it is known where the answer to a resume begins. */
export interface ReadLog {
  available: Available;
  done: SessionCursor;
  /** The segments that most clients get first, and the last one. There may be a gap between any two. */
  known: Segment[];
}

/** The first segments to send, without a gap, and where sending starts. */
export interface FirstPage extends Start {
  segments: Segment[];
  /** The first number that is available. */
  oldest: number;
}

/**
 * Segments of the first page. A small page reaches the client sooner, but eight seconds of a stream, a segment for each chunk of
 * 250 ms, are to be one page: they then arrive as one envelope.
 */
const FIRST_PAGE = 32;

/** The first reads: they do not depend on each other. */
export async function readEnds(
  key: SessionKey,
  cursor: Resume["cursor"],
  { history, now }: ReadLogDependencies,
  signal: AbortSignal,
): Promise<LogEnds> {
  const nowMs = now();
  const [[head], [tail], done, after = []] = await Promise.all([
    history.readOn(key, 1, 1, signal),
    history.readBack(key, NEWEST, 1, signal),
    history.readCursor(key, signal),
    cursor && history.readOn(key, cursor.seq + 1, FIRST_PAGE, signal),
  ]);
  return { nowMs, head, segments: tail ? [...after, tail] : after, done };
}

/** Finds the oldest available number, and reads the segments after the acknowledged one if the client has no cursor. */
export async function readLog(
  key: SessionKey,
  { cursor, from }: Pick<Resume, "cursor" | "from">,
  { nowMs, head, segments, done }: LogEnds,
  { history, retentionMs }: ReadLogDependencies,
  signal: AbortSignal,
): Promise<ReadLog> {
  // They were read in parallel: any of them may have the newest segment.
  const last = segments.reduce<Segment | undefined>((a, b) => (a && a.first >= b.first ? a : b), undefined);
  const hint = Math.max(done.oldestSeq, seqIn(last?.epoch, done.settled) + 1);
  const [oldest, unacknowledged] = await Promise.all([
    findOldest(history, key, { head, segments, hint }, { retentionMs, nowMs, signal }),
    last && !cursor && from !== "oldest" ? readUnacknowledged(key, last, done, history, signal) : [],
  ]);
  const available = { epoch: last?.epoch, oldest, newest: last ? lastSeqOf(last) : 0 };
  return { available, done, known: [...unacknowledged, ...segments] };
}

/** Where most clients without a cursor begin. */
async function readUnacknowledged(
  key: SessionKey,
  last: Segment,
  { acknowledged }: SessionCursor,
  history: ReadLogDependencies["history"],
  signal: AbortSignal,
): Promise<Segment[]> {
  const first = seqIn(last.epoch, acknowledged) + 1;
  return first > lastSeqOf(last) ? [] : await history.readOn(key, first, FIRST_PAGE, signal);
}

/**
 * The first segments to send; they are read if they are not among those that are known.
 *
 * @throws if the history no longer has any segment from `start.first` on.
 */
export async function firstPageOf(
  start: Start,
  { available: { oldest, newest }, known }: ReadLog,
  key: SessionKey,
  { history }: Pick<ReadLogDependencies, "history">,
  signal: AbortSignal,
): Promise<FirstPage> {
  const { first, lost = "expired", seen } = start;
  if (first > newest) return { ...start, oldest, segments: [] };
  const segments = withoutGap(known, first);
  if (segments.length > 0) return { ...start, oldest, segments };

  const read = await readFrom(history, key, first, FIRST_PAGE, signal);
  const next = read.find((segment) => lastSeqOf(segment) >= first);
  if (!next) throw new Error(`the history has no number from ${first} on, though ${newest} was read a moment ago`);
  if (next.first <= first) return { ...start, oldest, segments: withoutGap(read, first) };
  // The read began after the newest was stored, and so was all before it: a missing segment was deleted by an operator.
  return { first: next.first, lost, seen, oldest: next.first, segments: withoutGap(read, next.first) };
}
