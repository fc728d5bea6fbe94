import type { MessageEnvelope } from "../../protocol";
import type { Segment } from "../history/history";
import { mergeChunks } from "../history/mergeChunks";
import { messageEnvelopeOf } from "../history/messageEnvelope";
import { readEnds, readLog, type ReadLogDependencies } from "../history/readLog";
import { NEWEST, readFrom } from "../history/readRange";
import { entriesBetween, withoutGap } from "../history/recovery";
import { hasBodies } from "../history/retention";
import { lastSeqOf } from "../history/segment";
import type { SessionKey } from "../sessions/sessionKey";
import type { From, Position } from "./offset";

/** Messages in order, without a gap. */
export interface Page {
  /** Their envelopes, each as JSON. */
  items: readonly string[];
  next: Position;
  /** Whether there was no message after them. */
  isUpToDate: boolean;
  lost?: undefined;
}

/** The messages after the position are not available. */
export interface Gone {
  /** As in `Resumed`. */
  lost: "epoch" | "expired" | "ahead";
  /** The next position with messages; undefined if only a read from the oldest message can find it. */
  readOn: Position | undefined;
}

/**
 * The most bytes of a page's items, unless there is only one. Lambda's limit for an answer is 6 MB of JSON. The page is a string
 * in it, and at most doubles: as JSON it has no characters to escape but `"` and `\`.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const MAX_PAGE_BYTES = 1024 * 1024;

/** Segments that are read at a time. A segment takes 1 KB or more, and a response of DynamoDB at most 1 MB. */
const MAX_SEGMENTS = 1_000;

/**
 * Reads one page of a session's messages, and writes nothing: it does not acknowledge messages, and leaves reports of expired ones
 * to the sweeper.
 *
 * A read from a position is one round of calls, unless its messages are not there; a read from the oldest message is two or three,
 * if the stored lower bound of the oldest number is right.
 *
 * @throws if the history fails, or no longer has a segment that it had
 */
export async function readPage(
  key: SessionKey,
  from: From,
  dependencies: ReadLogDependencies,
  signal: AbortSignal,
): Promise<Page | Gone> {
  if (from === "oldest") return await readOldest(key, dependencies, signal);
  if (from === "newest") return emptyPage(endOf(await dependencies.history.readBack(key, NEWEST, 1, signal)));
  return await readAfter(key, from, dependencies, signal);
}

async function readOldest(key: SessionKey, dependencies: ReadLogDependencies, signal: AbortSignal): Promise<Page> {
  const ends = await readEnds(key, undefined, dependencies, signal);
  const { oldest, newest, epoch } = (await readLog(key, { from: "oldest" }, ends, dependencies, signal)).available;
  if (oldest > newest) return emptyPage({ epoch, seq: newest });
  const { history } = dependencies;
  const read = await history.readOn(key, oldest, MAX_SEGMENTS, signal, MAX_PAGE_BYTES);
  const [first] = read;
  if (!first) throw new Error(`the history has no number from ${oldest} on, though ${newest} was read a moment ago`);
  const end = endOf([...ends.segments, ...read]);
  return pageOf(withoutGap(read, first.first), first.first, end, ends.nowMs);
}

async function readAfter(
  key: SessionKey,
  { epoch, seq }: Position,
  { history, retentionMs, now }: ReadLogDependencies,
  signal: AbortSignal,
): Promise<Page | Gone> {
  const nowMs = now();
  const readNext = () => readFrom(history, key, seq + 1, MAX_SEGMENTS, signal, MAX_PAGE_BYTES);
  const [tail, firstRead] = await Promise.all([history.readBack(key, NEWEST, 1, signal), readNext()]);
  const end = endOf([...tail, ...firstRead]);
  // A position in a log without messages has no epoch: the first message sets it.
  if (epoch !== undefined && epoch !== end.epoch) return { lost: "epoch", readOn: undefined };
  if (seq > end.seq) return { lost: "ahead", readOn: undefined };
  if (seq === end.seq) return emptyPage(end);

  let read = firstRead;
  let segments = withoutGap(read, seq + 1);
  if (segments.length === 0) {
    // The two reads may see different moments. Numbers before one that was read are stored by now, unless they were deleted.
    read = await readNext();
    segments = withoutGap(read, seq + 1);
  }
  const isAvailable = (segment: Segment) => hasBodies(segment, retentionMs, nowMs);
  if (segments[0] && isAvailable(segments[0])) return pageOf(segments, seq + 1, endOf([...tail, ...read]), nowMs);
  const next = read.find((segment) => segment.first > seq && isAvailable(segment));
  return { lost: "expired", readOn: next && { epoch: end.epoch, seq: next.first - 1 } };
}

/** Where the log ends, as far as it was read. */
function endOf(read: readonly Segment[]): Position {
  const last = read.reduce<Segment | undefined>((a, b) => (a && a.first >= b.first ? a : b), undefined);
  return { epoch: last?.epoch, seq: last ? lastSeqOf(last) : 0 };
}

function emptyPage(end: Position): Page {
  return { items: [], next: end, isUpToDate: true };
}

/** The page that begins with the number `first`, which the segments have. */
function pageOf(segments: readonly Segment[], first: number, end: Position, nowMs: number): Page {
  const items: string[] = [];
  let [seq, bytes] = [first - 1, 0];
  // An envelope of several chunks ends where its last one does.
  for (const envelope of envelopesOf(segments, first, end, nowMs)) {
    const item = JSON.stringify(envelope);
    // With the comma, or the brackets.
    bytes += Buffer.byteLength(item) + 1;
    if (items.length > 0 && bytes > MAX_PAGE_BYTES) break;
    items.push(item);
    seq = envelope.seq;
  }
  return { items, next: { epoch: end.epoch, seq }, isUpToDate: seq === end.seq };
}

function envelopesOf(segments: readonly Segment[], first: number, end: Position, nowMs: number): MessageEnvelope[] {
  // A client knows one epoch at a time. Numbers continue across epochs, so the current epoch names earlier numbers as well.
  const envelopes = entriesBetween(segments, first, end.seq).map((entry) =>
    messageEnvelopeOf({ ...entry, epoch: end.epoch ?? entry.epoch }, nowMs),
  );
  return mergeChunks(envelopes);
}
