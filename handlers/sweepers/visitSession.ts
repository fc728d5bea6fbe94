import type { Cursor } from "../../protocol";
import { newEpoch } from "../history/epoch";
import { reasonOf } from "../history/expireUnseen";
import type { DueSegment, Entry, History, Segment, SessionCursor } from "../history/history";
import {
  hasEnded,
  openEntriesOf,
  pastTheirOwnExpiry,
  planVisit,
  type Visited,
  type VisitTime,
} from "../history/planVisit";
import { NEWEST } from "../history/readRange";
import { reportExpired, type ReportDependencies } from "../history/reportExpired";
import { ENDANGERED_MS, isAvailable, WORKER_LIFE_MS } from "../history/retention";
import { isSealed, lastSeqOf } from "../history/segment";
import { receiptOf } from "../receipts/receipts";
import type { SessionKey } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";

export interface VisitDependencies extends ReportDependencies {
  history: Pick<
    History,
    | "readBack"
    | "readOn"
    | "readCursor"
    | "addReported"
    | "settle"
    | "moveWaited"
    | "renew"
    | "seal"
    | "mark"
    | "unmark"
    | "delete"
  >;
  /** How long messages are delivered after they were stored. */
  retentionMs: number;
  /** After how long an open message gets the receipt `waiting`. @default never */
  waitingAfterMs?: number;
}

export interface VisitResult {
  /**
   * `not-due`: the index was behind. `unfinished`: there was too much to report for one visit; the session stays due, and the
   * next visit goes on.
   */
  outcome: "visited" | "unfinished" | "not-due";
  /** Messages. */
  reported: number;
  /** Receipts. */
  waiting: number;
  isSealed: boolean;
}

/** A visit in progress. */
interface Visit extends VisitTime {
  key: SessionKey;
  /** The segment that brought the visit. */
  marked: Segment;
  /** The one before it, if there is one. */
  predecessor: Segment | undefined;
  tail: Segment;
  /** The messages through this number are acknowledged or reported. */
  doneThrough: number;
  /** The receipts `waiting` of the open messages through this number are published. */
  waitedThrough: number;
  reported: number;
  waiting: number;
  dependencies: VisitDependencies;
  signal: AbortSignal;
}

/** Segments that are read at a time. */
const PAGE = 100;

/** Messages reported, or receipts published, between two writes of the progress; a single segment may have more. */
const SLICE_MESSAGES = 100;

/** A visit reports, and publishes receipts, for that long at most: in the rest of its time it plans the next one. */
const REPORTING_MS = (WORKER_LIFE_MS * 2) / 3;

/**
 * Visits a session that is due: reports what has expired, publishes the receipts `waiting`, and plans the next visit. The segment
 * that brought the visit leaves the index last, so a visit that ends anywhere is made again. Visits may overlap: each one leaves a plan for all it has read.
 *
 * @throws if a call fails: what was reported since the progress was written is reported again the next time.
 */
export async function visitSession(
  due: Pick<DueSegment, "key" | "first">,
  dependencies: VisitDependencies,
  signal: AbortSignal,
): Promise<VisitResult> {
  const visit = await readVisit(due, dependencies, timeLimit(WORKER_LIFE_MS, signal));
  if (!visit) return { outcome: "not-due", reported: 0, waiting: 0, isSealed: false };
  await removeSealedPredecessor(visit);
  await reportOwnExpiries(visit);
  const ended = await reportEnded(visit);
  const rest = ended === "unfinished" ? ended : await publishWaiting(visit, ended.open);
  if (ended === "unfinished" || rest === "unfinished") return resultOf(visit, "unfinished", false);
  return resultOf(visit, "visited", await finish(visit, { ...ended, ...rest }));
}

function resultOf({ reported, waiting }: Visit, outcome: VisitResult["outcome"], isSealed: boolean): VisitResult {
  return { outcome, reported, waiting, isSealed };
}

/** @returns undefined if the segment is gone, or not due: the index lags. */
async function readVisit(
  { key, first }: Pick<DueSegment, "key" | "first">,
  dependencies: VisitDependencies,
  signal: AbortSignal,
): Promise<Visit | undefined> {
  const { history, retentionMs, waitingAfterMs, now } = dependencies;
  const nowMs = now();
  const [[tail, beforeTail], cursor] = await Promise.all([
    history.readBack(key, NEWEST, 2, signal),
    history.readCursor(key, signal),
  ]);
  if (!tail) return undefined;
  // After the tail: so a due time that the tail has carried on is not later than what is read here.
  const [marked, predecessor] =
    tail.first === first ? [tail, beforeTail] : await history.readBack(key, first, 2, signal);
  if (marked?.first !== first || !isDueAt(marked, nowMs)) return undefined;
  const visit = {
    key,
    marked,
    predecessor,
    tail,
    doneThrough: 0,
    waitedThrough: 0,
    reported: 0,
    waiting: 0,
    dependencies,
    signal,
    retentionMs,
    waitingAfterMs,
    nowMs,
  };
  return {
    ...visit,
    doneThrough: await doneThroughOf(cursor, visit),
    waitedThrough: waitingAfterMs === undefined ? 0 : await positionOf(cursor.waited, visit),
  };
}

function isDueAt({ isMarked, dueAtMs = Infinity }: Segment, nowMs: number): boolean {
  return isMarked && dueAtMs <= nowMs;
}

/** The number through which the messages are acknowledged or reported. */
async function doneThroughOf({ acknowledged, settled }: SessionCursor, visit: Visit): Promise<number> {
  return Math.max(await positionOf(acknowledged, visit), await positionOf(settled, visit));
}

/** The cursor's number; 0 if the cursor is of a log that is gone. Numbers go on where a log changes its epoch. */
async function positionOf(
  cursor: Cursor | undefined,
  { key, tail, dependencies: { history }, signal }: Visit,
): Promise<number> {
  if (!cursor || cursor.epoch === tail.epoch) return cursor?.seq ?? 0;
  const [segment] = await history.readBack(key, cursor.seq, 1, signal);
  return segment?.epoch === cursor.epoch ? cursor.seq : 0;
}

/**
 * A worker that had read the tail before it was sealed may store a segment after it, once the visit that sealed it is over. That
 * segment is marked, since the tail's due time had passed, and so brings the visit that removes the sealed one here. Without a
 * TTL it would outlive its successors, and its numbers would be given again.
 */
async function removeSealedPredecessor({ key, predecessor, dependencies, signal }: Visit): Promise<void> {
  if (predecessor && isSealed(predecessor)) await dependencies.history.delete(key, predecessor.first, signal);
}

/** Reports what has expired by its publisher's own `expiresAt` in the segment that brought the visit, and has not ended. */
async function reportOwnExpiries(visit: Visit): Promise<void> {
  const { key, marked, doneThrough, dependencies, signal } = visit;
  const expired = pastTheirOwnExpiry(marked, doneThrough, visit);
  if (expired.length === 0) return;
  await report(expired, visit);
  const positions = expired.map(({ seq }) => seq - marked.first);
  await dependencies.history.addReported(key, marked.first, positions, signal);
}

/**
 * Reports the messages of the segments that have ended, in order, and writes its progress.
 *
 * @returns the segment of the first message that is left; `unfinished` if time is up.
 */
async function reportEnded(visit: Visit): Promise<{ open: Segment | undefined } | "unfinished"> {
  const { dependencies, nowMs } = visit;
  for await (const page of pagesFrom(visit.doneThrough + 1, visit)) {
    const open = page.find((segment) => !hasEnded(segment, visit));
    for (const slice of slicesOf(page.filter((segment) => hasEnded(segment, visit)))) {
      if (dependencies.now() - nowMs >= REPORTING_MS) return "unfinished";
      await reportSlice(slice, visit);
    }
    if (open) return { open };
  }
  return { open: undefined };
}

/** Reports first: what is settled is never reported again. */
async function reportSlice(slice: readonly Segment[], visit: Visit): Promise<void> {
  const { key, dependencies, signal } = visit;
  const last = slice.at(-1);
  if (!last || lastSeqOf(last) <= visit.doneThrough) return;
  await report(
    slice.flatMap((segment) => openEntriesOf(segment, visit.doneThrough)),
    visit,
  );
  const seq = lastSeqOf(last);
  await dependencies.history.settle(key, { settled: { epoch: last.epoch, seq }, oldestSeq: seq + 1 }, signal);
  visit.doneThrough = seq;
}

async function report(entries: readonly Entry[], visit: Visit): Promise<void> {
  const { key, retentionMs, dependencies, signal } = visit;
  const expired = entries.map((entry) => ({ entry, reason: reasonOf(entry, retentionMs) }));
  await reportExpired(key, expired, dependencies, signal);
  visit.reported += expired.length;
}

/**
 * Publishes the receipts `waiting` of the open messages that are old enough, in order, and writes its progress.
 *
 * @param open The segment of the first open message.
 * @returns what the next visit is planned by; `unfinished` if time is up.
 */
async function publishWaiting(
  visit: Visit,
  open: Segment | undefined,
): Promise<Pick<Visited, "young" | "otherDueAtMs"> | "unfinished"> {
  const { marked, dependencies, waitingAfterMs, nowMs } = visit;
  if (waitingAfterMs === undefined || !open) return {};
  const isOld = ({ storedAtMs }: Segment) => storedAtMs + waitingAfterMs <= nowMs;
  let otherDueAtMs: number | undefined;
  for await (const page of pagesFrom(Math.max(visit.doneThrough, visit.waitedThrough) + 1, visit, open)) {
    for (const slice of slicesOf(page.filter(isOld))) {
      if (dependencies.now() - nowMs >= REPORTING_MS) return "unfinished";
      await publishSlice(slice, visit);
    }
    for (const { first, isMarked, dueAtMs = Infinity } of page) {
      if (isMarked && first !== marked.first && dueAtMs > nowMs)
        otherDueAtMs = Math.min(otherDueAtMs ?? Infinity, dueAtMs);
    }
    const young = page.find((segment) => !isOld(segment));
    if (young) return { young, otherDueAtMs };
  }
  return { otherDueAtMs };
}

/** Publishes first: what `waited` covers gets no such receipt later. */
async function publishSlice(slice: readonly Segment[], visit: Visit): Promise<void> {
  const { key, retentionMs, nowMs, dependencies, signal } = visit;
  const last = slice.at(-1);
  const through = Math.max(visit.doneThrough, visit.waitedThrough);
  if (!last || lastSeqOf(last) <= through) return;
  const entries = slice.flatMap((segment) => openEntriesOf(segment, through));
  const waiting = entries.filter((entry) => isAvailable(entry, retentionMs, nowMs));
  await dependencies.receipts.publish(
    waiting.map(({ messageId, epoch, seq }) =>
      receiptOf(key, { status: "waiting", messageId, epoch, seq }, dependencies.now()),
    ),
    signal,
  );
  visit.waiting += waiting.length;
  const seq = lastSeqOf(last);
  await dependencies.history.moveWaited(key, { epoch: last.epoch, seq }, signal);
  visit.waitedThrough = seq;
}

/** Pages of the log from the segment that holds `seq` on, through the tail. That one often is at hand, and enough. */
async function* pagesFrom(seq: number, visit: Visit, open?: Segment): AsyncGenerator<Segment[]> {
  const { key, marked, tail, dependencies, signal } = visit;
  const { history } = dependencies;
  const holds = (segment: Segment) => segment.first <= seq && lastSeqOf(segment) >= seq;
  let next = seq;
  if (next <= lastSeqOf(tail)) {
    const known = [marked, tail, ...(open ? [open] : [])].find(holds);
    const [first] = known ? [known] : await history.readBack(key, seq, 1, signal);
    if (first && holds(first)) {
      yield [first];
      next = lastSeqOf(first) + 1;
    }
  }
  while (next <= lastSeqOf(tail)) {
    const page = await history.readOn(key, next, PAGE, signal);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    next = lastSeqOf(last) + 1;
    // A long visit reports nothing that was acknowledged while it went on.
    visit.doneThrough = Math.max(visit.doneThrough, await doneThroughOf(await history.readCursor(key, signal), visit));
  }
}

function slicesOf(segments: readonly Segment[]): Segment[][] {
  const slices: Segment[][] = [];
  let messages = Infinity;
  for (const segment of segments) {
    messages += segment.count;
    if (messages > SLICE_MESSAGES) {
      slices.push([]);
      messages = segment.count;
    }
    slices.at(-1)?.push(segment);
  }
  return slices;
}

/** Plans the next visit, and only then takes the segment that brought this one out of the index. */
async function finish(visit: Visit, rest: Pick<Visited, "open" | "young" | "otherDueAtMs">): Promise<boolean> {
  const { key, marked, tail, dependencies, signal } = visit;
  const { history } = dependencies;
  const plan = planVisit({ ...visit, ...rest }, visit);
  if (plan.do === "seal") return await seal(visit);
  if (plan.do === "mark") await history.mark(key, plan.segment, plan.dueAtMs, signal);
  if (plan.do === "mark" && plan.segment.first === marked.first) return false;
  // A former tail that an earlier visit has sealed, and did not live to remove.
  if (isSealed(marked) && marked.first !== tail.first) await history.delete(key, marked.first, signal);
  else await history.unmark(key, marked, signal);
  return false;
}

/**
 * Seals the tail, which brought the visit. If it is no longer the tail by then, it stays in the index: the next visit plans for what
 * follows it, and removes it.
 */
async function seal({ key, marked, nowMs, dependencies, signal }: Visit): Promise<boolean> {
  const { history } = dependencies;
  if (marked.ttlMs !== undefined && marked.ttlMs <= nowMs + ENDANGERED_MS) {
    // The sweeper was down for days: segments that followed this one may be deleted already, and their numbers were given.
    const renewal = { ttlMs: marked.ttlMs, nextEpoch: newEpoch() };
    if ((await history.renew(key, marked, renewal, signal)) === "changed") return false;
  }
  if ((await history.seal(key, marked, signal)) === "changed") return false;
  const [tail] = await history.readBack(key, NEWEST, 1, signal);
  if (tail?.first === marked.first) await history.unmark(key, { ...marked, ttlMs: undefined }, signal);
  return true;
}
