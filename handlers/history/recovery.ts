import type { Cursor, Resume, Resumed } from "../../protocol";
import type { Entry, Segment, SessionCursor } from "./history";
import { entriesOf, lastSeqOf } from "./segment";

/** The deliverable part of a session's log, as in the hello. */
export interface Available {
  /** The log's present epoch; undefined if the session never had a message. */
  epoch: string | undefined;
  /** The first number that is available; `newest` + 1 if there is none. */
  oldest: number;
  newest: number;
}

/** Where the answer to a resume begins. */
export interface Start {
  first: number;
  lost?: Resumed["lost"];
  /** The client has the messages up to here. It never gets those between here and `first`, but will acknowledge them. */
  seen: number;
}

/** Where sending starts. If the cursor is no longer valid, everything available is sent. */
export function startOf(
  { cursor, after, from }: Pick<Resume, "cursor" | "after" | "from">,
  { epoch, oldest, newest }: Available,
  acknowledged: Cursor | undefined,
): Start {
  const acknowledgedSeq = seqIn(epoch, acknowledged);
  const everything = { first: oldest, seen: acknowledgedSeq };
  if (cursor && cursor.epoch !== epoch) return { ...everything, lost: "epoch" };
  if (cursor && arrivedOf(cursor, after) > newest) return { ...everything, lost: "ahead" };
  if (!cursor && from === "oldest") return everything;
  const seen = cursor ? arrivedOf(cursor, after) : acknowledgedSeq;
  // What has arrived and is not handled has expired as well, and may never be acknowledged.
  if (seen + 1 < oldest) {
    return { first: oldest, lost: "expired", seen: Math.max(cursor?.seq ?? 0, acknowledgedSeq) };
  }
  // The acknowledged number is larger than the newest if both changed between the reads.
  return { first: seen + 1, seen };
}

/** The last number that has arrived at the client. */
export function arrivedOf(cursor: Cursor, after = 0): number {
  return Math.max(cursor.seq, after);
}

/** The cursor's number; 0 if it is of another epoch than this one, or there is none. */
export function seqIn(epoch: string | undefined, cursor: Cursor | undefined): number {
  return cursor && cursor.epoch === epoch ? cursor.seq : 0;
}

/**
 * Whether the entry is at or before the cursor. Numbers go on where a log changes its epoch, so a cursor of the present epoch
 * covers earlier epochs, too. Any other cursor only covers its own: it may be of a log that is gone.
 */
export function isCovered(
  { epoch, seq }: Cursor,
  cursor: Cursor | undefined,
  presentEpoch: string | undefined,
): boolean {
  return cursor !== undefined && seq <= cursor.seq && (cursor.epoch === epoch || cursor.epoch === presentEpoch);
}

/** Whether the message was reported as expired, or acknowledged: both are final. */
export function isDone(
  entry: Entry,
  { acknowledged, settled }: Pick<SessionCursor, "acknowledged" | "settled">,
  presentEpoch: string | undefined,
): boolean {
  return (
    entry.body === undefined || isCovered(entry, acknowledged, presentEpoch) || isCovered(entry, settled, presentEpoch)
  );
}

/**
 * The page's segments from the one that holds `first`, up to the first gap. A page is not a snapshot: segments after a missing
 * one arrived later, and the missing one may still arrive.
 */
export function withoutGap(page: readonly Segment[], first: number): Segment[] {
  const segments: Segment[] = [];
  let next = first;
  for (const segment of page) {
    if (lastSeqOf(segment) < next) continue;
    if (segment.first > next) break;
    segments.push(segment);
    next = lastSeqOf(segment) + 1;
  }
  return segments;
}

/** The entries with the numbers `first` to `last`: the first and the last segment may have others. */
export function entriesBetween(segments: readonly Segment[], first: number, last: number): Entry[] {
  return segments.flatMap(entriesOf).filter(({ seq }) => seq >= first && seq <= last);
}

/** The most messages, and roughly the most bytes, of one answer: the client asks again for the rest. */
export const MAX_ANSWER = { messages: 1_000, bytes: 1024 * 1024 };

/** The size of an envelope besides its body, roughly. */
const ENVELOPE_BYTES = 150;

/** The size of a message's envelope, roughly: without what JSON escapes. */
export function envelopeBytes({ body = "" }: { body?: string }): number {
  return Buffer.byteLength(body) + ENVELOPE_BYTES;
}

/**
 * The last number of an answer that begins with these entries: the newest, as far as the answer's size allows. Entries that
 * have not been read yet are assumed to be as large as those that have.
 */
export function throughOf(entries: readonly Entry[], first: number, newest: number): number {
  let [bytes, count] = [0, 0];
  for (const entry of entries) {
    bytes += envelopeBytes(entry);
    // What was read may exceed an answer, since segments are compressed. The first message always fits.
    if (count > 0 && bytes > MAX_ANSWER.bytes) return first + count - 1;
    count += 1;
  }
  const fitting = Math.floor((MAX_ANSWER.bytes * count) / bytes) || 0;
  return Math.min(newest, first + Math.min(MAX_ANSWER.messages, Math.max(count, fitting)) - 1);
}
