import type { Cursor, Resume, Resumed } from "../../protocol";
import type { Entry, EntryHead } from "./history";

/** What of a session's log can be delivered, as hello says it. */
export interface Available {
  /** Undefined where the session never had a message. */
  epoch: string | undefined;
  /** The first number within the retention; `newest` + 1 where there is none. */
  oldest: number;
  newest: number;
}

/** Where the answer to a resume begins. */
export interface Start {
  first: number;
  lost?: Resumed["lost"];
  /** Up to there the client has what was sent; what is between there and `first` it will never see, and acknowledges all the same. */
  seen: number;
}

/**
 * The log's ends, of reads that were made side by side, so that messages may have come in between them. Undefined where the
 * oldest has to be read again: there was none within the retention, and now there is.
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

/** From where on the session's messages are sent. A cursor that does not hold any more makes everything available follow. */
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
  // What was acknowledged is larger than the newest where both came in between the reads.
  return { first: seen + 1, seen };
}

/**
 * The page's entries from `first` on, without a gap. A page is not one moment's: behind a number that is missing, what is
 * there has come later, and so may the missing one.
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

/** How many messages one answer holds, and about how many bytes: the client asks again for the rest. */
export const MAX_ANSWER = { messages: 1_000, bytes: 1024 * 1024 };

/** What an envelope has beside its body, roughly. */
const ENVELOPE_BYTES = 150;

/**
 * The last number that an answer which begins with these entries holds: all that stands, as far as the answer's size allows.
 * What of it has not been read yet is taken to be as large as what has.
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
