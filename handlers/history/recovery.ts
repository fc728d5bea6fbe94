import type { Cursor, Resume, Resumed } from "../../protocol";
import type { Entry, EntryHead } from "./history";

/** The deliverable part of a session's log, as in the hello. */
export interface Available {
  /** Undefined if the session never had a message. */
  epoch: string | undefined;
  /** The first number within the retention; `newest` + 1 if there is none. */
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

/**
 * The log's ends. They were read in parallel, so messages may have arrived in between. Undefined if the oldest must be read
 * again: there was none within the retention, and now there is.
 */
export function availableOf(
  tail: EntryHead | undefined,
  oldest: EntryHead | undefined,
  storedAfterMs: number,
): Available | undefined {
  const newest = tail && oldest ? (tail.seq > oldest.seq ? tail : oldest) : (tail ?? oldest);
  if (!newest) return { epoch: undefined, oldest: 1, newest: 0 };
  const { epoch, seq } = newest;
  if (oldest) return { epoch, oldest: oldest.seq, newest: seq };
  return newest.storedAtMs > storedAfterMs ? undefined : { epoch, oldest: seq + 1, newest: seq };
}

/** Where sending starts. If the cursor is no longer valid, everything available is sent. */
export function startOf(
  { cursor, from }: Pick<Resume, "cursor" | "from">,
  { epoch, oldest, newest }: Available,
  acknowledged: Cursor | undefined,
): Start {
  const acknowledgedSeq = acknowledged && acknowledged.epoch === epoch ? acknowledged.seq : 0;
  const everything = { first: oldest, seen: acknowledgedSeq };
  if (cursor && cursor.epoch !== epoch) return { ...everything, lost: "epoch" };
  if (cursor && cursor.seq > newest) return { ...everything, lost: "ahead" };
  if (!cursor && from === "oldest") return everything;
  const seen = cursor ? cursor.seq : acknowledgedSeq;
  if (seen + 1 < oldest) return { first: oldest, lost: "expired", seen: Math.max(seen, acknowledgedSeq) };
  // The acknowledged number is larger than the newest if both changed between the reads.
  return { first: seen + 1, seen };
}

/**
 * The page's entries from `first` on, up to the first gap. A page is not a snapshot: entries after a missing number arrived
 * later, and the missing one may still arrive.
 */
export function withoutGap(page: readonly Entry[], { epoch }: Available, first: number): Entry[] {
  const entries: Entry[] = [];
  for (const entry of page) {
    if (entry.seq < first) continue;
    if (entry.seq !== first + entries.length || entry.epoch !== epoch) break;
    entries.push(entry);
  }
  return entries;
}

/** The most messages, and roughly the most bytes, of one answer: the client asks again for the rest. */
export const MAX_ANSWER = { messages: 1_000, bytes: 1024 * 1024 };

/** The size of an envelope besides its body, roughly. */
const ENVELOPE_BYTES = 150;

/**
 * The last number of an answer that begins with these entries: the newest, as far as the answer's size allows. Entries that
 * have not been read yet are assumed to be as large as those that have.
 */
export function throughOf(entries: readonly Entry[], first: number, newest: number): number {
  const bytes = entries.reduce((sum, { body = "" }) => sum + Buffer.byteLength(body) + ENVELOPE_BYTES, 0);
  const fitting = Math.floor((MAX_ANSWER.bytes * entries.length) / bytes) || 0;
  const promised = Math.max(entries.length, Math.min(MAX_ANSWER.messages, fitting));
  return Math.min(Math.max(newest, first + entries.length - 1), first + promised - 1);
}

/** Whether the clients have acknowledged it. */
export function isAcknowledged({ epoch, seq }: Cursor, acknowledged: Cursor | undefined): boolean {
  return acknowledged !== undefined && acknowledged.epoch === epoch && seq <= acknowledged.seq;
}
