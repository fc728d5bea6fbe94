import type { Entry, History, SessionCursor, Skipped } from "../history/history";
import { NEWEST, readFrom } from "../history/readRange";
import { entriesBetween, seqIn } from "../history/recovery";
import { lastSeqOf } from "../history/segment";
import type { SessionKey } from "../sessions/sessionKey";
import type { NewEntry } from "./postToRaw";

/** Messages that a session's raw clients get next. */
export interface Page {
  /** The log's present epoch. */
  epoch: string | undefined;
  /** The raw clients have everything up to here, or it is done otherwise. */
  start: number;
  /** In order. Numbers that are missing were deleted. */
  entries: readonly NewEntry[];
  /** The page covers the numbers up to here. */
  end: number;
  /** The last number that they are to get, of these. */
  through: number;
  /** Whether these are messages that were skipped: the session's cursor is after them. */
  isSkipped: boolean;
}

export interface Wanted {
  key: SessionKey;
  /** Messages that were just stored, by their numbers: they are not read if nothing was missed before them. */
  inHand: ReadonlyMap<number, NewEntry>;
  /** The log's present epoch and the last number wanted. */
  upTo: { epoch: string | undefined; through: number };
  /** When the first of the raw connections began, in epoch milliseconds. */
  sinceMs: number;
  /** Whether no client of the session acknowledges: what the gateway has accepted is acknowledged then. */
  acknowledges: boolean;
}

/** Segments that are read at a time: as many as are posted within seconds. One response holds at most 1 MB of them. */
const PAGE = 50;

/** The messages after the session's cursor, as many as one read returns; those first that were skipped. */
export async function readPage(
  { key, inHand, upTo, sinceMs, acknowledges }: Wanted,
  cursor: SessionCursor,
  history: Pick<History, "readBack" | "readOn">,
  signal: AbortSignal,
): Promise<Page> {
  const { acknowledged, accepted, settled } = cursor;
  // A copy of a message may be of an earlier epoch than the log's: nothing would be covered by the cursors.
  const isPresent = [acknowledged, accepted].every((cursor) => !cursor || cursor.epoch === upTo.epoch);
  const [tail] = isPresent ? [] : await history.readBack(key, NEWEST, 1, signal);
  const epoch = tail ? tail.epoch : upTo.epoch;
  const skipped = acknowledges ? skippedIn(epoch, cursor) : undefined;
  const through = skipped?.through ?? upTo.through;
  const after = Math.max(seqIn(epoch, accepted), seqIn(epoch, settled));
  const isAllInHand = [...inHand.keys()].filter((seq) => seq > after).length === through - after;
  const isAfter = isAllInHand || seqIn(epoch, acknowledged) <= after;
  const start = skipped
    ? skipped.from - 1
    : isAfter
      ? after
      : await startAfter(key, after, seqIn(epoch, acknowledged), sinceMs, history, signal);
  const page = { epoch, start, through, isSkipped: skipped !== undefined };
  if (start >= through) return { ...page, entries: [], end: start };

  const ahead = [...inHand.values()].filter(({ entry: { seq } }) => seq > start && seq <= through);
  if (ahead.length === through - start) return { ...page, entries: ahead.sort(bySeq), end: through };

  const segments = await readFrom(history, key, start + 1, PAGE, signal);
  const last = segments.at(-1);
  const entries = entriesBetween(segments, start + 1, through).map((entry) => inHand.get(entry.seq) ?? held(entry));
  // All of these numbers were stored before the read began: those that it does not find were deleted.
  const end = last && lastSeqOf(last) > start ? Math.min(lastSeqOf(last), through) : through;
  return { ...page, entries, end };
}

/** The messages that were skipped, as far as they are neither acknowledged nor reported. */
export function skippedIn(
  epoch: string | undefined,
  { skipped, acknowledged, settled }: SessionCursor,
): Skipped | undefined {
  if (!skipped || skipped.epoch !== epoch) return undefined;
  const from = Math.max(skipped.from, seqIn(epoch, acknowledged) + 1, seqIn(epoch, settled) + 1);
  return from > skipped.through ? undefined : { ...skipped, from };
}

/**
 * A client that speaks the protocol may acknowledge a message before the raw clients have it, which are connected. They do not get
 * what was acknowledged before they connected.
 */
async function startAfter(
  key: SessionKey,
  after: number,
  acknowledged: number,
  sinceMs: number,
  history: Pick<History, "readBack">,
  signal: AbortSignal,
): Promise<number> {
  const [segment] = await history.readBack(key, acknowledged, 1, signal);
  return !segment || segment.storedAtMs < sinceMs ? acknowledged : after;
}

function held(entry: Entry): NewEntry {
  return { entry, takenBy: undefined };
}

function bySeq(a: NewEntry, b: NewEntry): number {
  return a.entry.seq - b.entry.seq;
}
