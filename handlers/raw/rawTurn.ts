import { expireUnseen, type ExpireUnseenDependencies } from "../history/expireUnseen";
import type { Entry, History, SessionCursor, Skipped } from "../history/history";
import { readRange } from "../history/readRange";
import { entriesBetween, isDone, seqIn } from "../history/recovery";
import { errorFields } from "../log";
import { METRICS } from "../metrics";
import { receiptOf } from "../receipts/receipts";
import type { SessionKey } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";
import type { NewEntry, RawPost } from "./postToRaw";
import type { RawLine, RawLineDependencies } from "./rawLine";
import { type Page, readPage, skippedIn, type Wanted } from "./readPage";

export interface RawTurnDependencies extends RawLineDependencies, ExpireUnseenDependencies {
  history: Pick<History, "readBack" | "readOn" | "addReported" | "leaseRaw" | "releaseRaw">;
  /** Names an invocation's turn. */
  newOwner: () => string;
}

/** What one invocation posts to a session's raw connections. */
export interface RawWork extends Omit<Wanted, "sinceMs">, Pick<RawPost, "onPartial" | "readTakenBy"> {
  lines: readonly RawLine[];
}

/** What one turn has done. */
export interface TurnResult {
  /** The session's cursor is here, unless it has not been looked at. */
  end: number;
  /** If not, another turn would not get further. */
  hasMoved: boolean;
  /** Whether there is more to post. */
  hasMore: boolean;
}

/** For how long a turn has the session's raw connections to itself. Shorter than `deliver` waits for it at a message's last attempt. */
const LEASE_MS = 20_000;

/** A turn begins no further post after this. */
const POSTING_MS = 8_000;

/** Reserved at the end of the lease for reports and receipts, and for the cursor: what is under way is aborted before. */
const FINISHING_MS = 3_000;
const RELEASING_MS = 2_000;

/**
 * Posts one page of messages under a lease. Another invocation posts no sooner than the cursor has moved; if this one ends before,
 * once the lease has ended.
 *
 * @param after The cursor after the invocation's last turn.
 * @returns "busy" if another invocation has the lease.
 * @throws if the history fails. The cursor may have moved then.
 */
export async function rawTurn(
  work: RawWork,
  after: number,
  dependencies: RawTurnDependencies,
  signal: AbortSignal,
): Promise<TurnResult | "busy"> {
  const { history, newOwner, now, log } = dependencies;
  const { key } = work;
  const [owner, leasedAtMs] = [newOwner(), now()];
  const cursor = await history.leaseRaw(key, { owner, untilMs: leasedAtMs + LEASE_MS }, leasedAtMs, signal);
  if (cursor === "busy") return "busy";

  const posting = timeLimit(LEASE_MS - FINISHING_MS - RELEASING_MS, signal);
  const isTimeUp = () => posting.aborted || now() - leasedAtMs >= POSTING_MS;
  let page: Page;
  try {
    const sinceMs = Math.min(...work.lines.map((line) => line.sinceMs));
    page = await readPage({ ...work, sinceMs }, cursor, history, posting);
    for (const line of work.lines) line.acknowledged = seqIn(page.epoch, cursor.acknowledged);
    const entries = [...(page.isSkipped ? [] : await takenBefore(work, after, page.start)), ...page.entries];
    const isOld = ({ entry }: NewEntry) => work.lines.some((line) => !line.isFor(entry));
    const old = entries.slice(0, entries.findLastIndex(isOld) + 1);
    const isEntitled = (line: RawLine) => old.every(({ entry }) => line.isFor(entry));
    // In parallel: a slow one must not use up the time of the others.
    await Promise.all(work.lines.filter(isEntitled).map((line) => line.post(old, dependencies, isTimeUp, posting)));
    for (const line of work.lines) if (!isEntitled(line)) await line.post(old, dependencies, isTimeUp, posting);
    await Promise.all(work.lines.map((line) => line.post(entries, dependencies, isTimeUp, posting)));
  } catch (error) {
    await release(key, owner, {}, dependencies).catch(() => log.warn("lease not released", { ...key }));
    throw error;
  }
  const end = await finish(work, owner, cursor, page, dependencies);
  const { start, through, isSkipped } = page;
  return { end: isSkipped ? after : end, hasMoved: end > start, hasMore: isSkipped || end < through };
}

/**
 * The messages in hand that the session's cursor covers: another invocation has posted them. Those that are retried for some
 * connections are posted to these.
 */
async function takenBefore({ inHand, lines, readTakenBy }: RawWork, after: number, start: number): Promise<NewEntry[]> {
  const covered = [...inHand.values()].filter(({ entry: { seq } }) => seq > after && seq <= start);
  const unknown = covered.flatMap(({ entry, takenBy }) => (takenBy ? [] : entry));
  const taken = unknown.length > 0 ? await readTakenBy(unknown) : undefined;
  return covered.flatMap(({ entry, takenBy = taken?.get(entry.seq) }) => {
    if (takenBy) return { entry, takenBy };
    for (const line of lines) line.take(entry.seq);
    return [];
  });
}

/** Reports what has expired, publishes receipts, moves the cursor as far as possible, and gives the lease back. */
async function finish(
  { key, lines, acknowledges: mayAcknowledge, inHand, onPartial }: RawWork,
  owner: string,
  cursor: SessionCursor,
  { epoch, start, entries, end, through, isSkipped }: Page,
  dependencies: RawTurnDependencies,
): Promise<number> {
  const { metrics, log } = dependencies;
  const signal = timeLimit(FINISHING_MS);
  let reached = end;
  const stopBefore = (entry: Entry | undefined, error?: unknown) => {
    if (!entry) return;
    reached = entry.seq - 1;
    if (error)
      log.error("raw clients' cursor not moved over a message", { ...key, seq: entry.seq, ...errorFields(error) });
  };
  const states = new Map(entries.map(({ entry }) => [entry, stateOf(entry, lines)]));
  const covered = (state: State) =>
    [...states].flatMap(([entry, its]) => (its === state && entry.seq <= reached ? entry : []));
  stopBefore(covered("open")[0]);
  try {
    await expireUnseen({ key, done: cursor, presentEpoch: epoch, entries: covered("late"), signal }, dependencies);
  } catch (error) {
    stopBefore(covered("late")[0], error);
  }
  for (const entry of covered("accepted")) {
    const acceptedBy = acceptedBySome(entry, lines);
    if (acceptedBy.length === 0) continue;
    if (!inHand.has(entry.seq)) {
      if (!lines.some((line) => isOpen(entry, line) && entry.storedAtMs >= line.sinceMs)) continue;
      // Another invocation has its message in hand, and posts it to all connections once it has the lease.
      stopBefore(entry);
      break;
    }
    try {
      await onPartial(entry, acceptedBy);
    } catch (error) {
      stopBefore(entry, error);
      break;
    }
  }
  if (reached === start || epoch === undefined) {
    await release(key, owner, {}, dependencies);
    return start;
  }

  const to = { epoch, seq: isSkipped ? seqIn(epoch, cursor.accepted) : reached };
  const skipped = isSkipped
    ? reached < through && { epoch, from: reached + 1, through }
    : withSkipped(covered("skipped"), cursor, epoch);
  const acknowledges = mayAcknowledge && !skipped && to.seq > seqIn(epoch, cursor.acknowledged);
  const isPublished = await publishAccepted(key, cursor, to, covered("accepted"), acknowledges, dependencies, signal);
  const moved = { accepted: to, ...(skipped && { skipped }), acknowledges: acknowledges && isPublished };
  if (!(await release(key, owner, moved, dependencies))) {
    log.warn("lease lost: messages may be posted to raw clients again", { ...key, seq: reached });
    return start;
  }
  if (moved.acknowledges) metrics.add(METRICS.acknowledged, to.seq - seqIn(epoch, cursor.acknowledged));
  return reached;
}

type State = "accepted" | "late" | "skipped" | "open";

/** `accepted` by at least one; `late` if it has expired; `skipped` by those that are open; `open` if it is to be posted again. */
function stateOf(entry: Entry, lines: readonly RawLine[]): State {
  // It was reported as expired, or has been sealed.
  if (entry.body === undefined) return "skipped";
  const kinds = lines.map((line) => line.outcomeOf(entry.seq)?.kind ?? "failed");
  if (kinds.includes("accepted")) return "accepted";
  // It is too late for those that were not reached, too.
  if (kinds.includes("late")) return "late";
  return kinds.includes("failed") || kinds.includes("ended") ? "open" : "skipped";
}

/** The connections that have accepted the message, if another one that may be open has not. */
function acceptedBySome(entry: Entry, lines: readonly RawLine[]): string[] {
  if (!lines.some((line) => isOpen(entry, line))) return [];
  return lines
    .filter((line) => line.outcomeOf(entry.seq)?.kind === "accepted")
    .map(({ connection }) => connection.connectionId);
}

function isOpen({ seq }: Entry, line: RawLine): boolean {
  return line.outcomeOf(seq)?.kind === "failed" || (line.outcomeOf(seq) === undefined && !line.hasEnded);
}

/** What is skipped with these entries, as far as no client has acknowledged it. */
function withSkipped(entries: readonly Entry[], cursor: SessionCursor, epoch: string): Skipped | undefined {
  const before = skippedIn(epoch, cursor);
  const news = entries.filter((entry) => !isDone(entry, cursor, epoch)).map(({ seq }) => seq);
  const [first, last] = [news[0], news.at(-1)];
  if (first === undefined || last === undefined) return before;
  return { epoch, from: before?.from ?? first, through: last };
}

/**
 * The receipts of what the gateway has accepted; with `acknowledges`, of everything that is acknowledged with it.
 *
 * @returns false if they were not published: the cursor moves nevertheless, since raw clients would get all of it again, and
 * the receipts follow when the acknowledged cursor moves.
 */
async function publishAccepted(
  key: SessionKey,
  cursor: SessionCursor,
  to: { epoch: string; seq: number },
  accepted: readonly Entry[],
  acknowledges: boolean,
  { receipts, history, now, log }: RawTurnDependencies,
  signal: AbortSignal,
): Promise<boolean> {
  if (!receipts.wanted) return true;
  const publish = async (entries: readonly Entry[]) => {
    const nowMs = now();
    const open = entries.filter((entry) => !isDone(entry, cursor, to.epoch));
    await receipts.publish(
      open.map(({ messageId, epoch, seq }) => receiptOf(key, { status: "accepted", messageId, epoch, seq }, nowMs)),
      signal,
    );
  };
  try {
    const done = Math.max(seqIn(to.epoch, cursor.acknowledged), seqIn(to.epoch, cursor.settled));
    const earlier = { from: done + 1, through: seqIn(to.epoch, cursor.accepted) };
    for await (const segments of acknowledges ? readRange(history, key, earlier, signal) : []) {
      await publish(entriesBetween(segments, earlier.from, earlier.through));
    }
    await publish(accepted.filter(({ seq }) => !acknowledges || seq > earlier.through));
    return true;
  } catch (error) {
    log.error("receipts of accepted messages not published", { ...key, seq: to.seq, ...errorFields(error) });
    return false;
  }
}

/** Returns false if the lease is another invocation's. */
async function release(
  key: SessionKey,
  owner: string,
  to: Parameters<History["releaseRaw"]>[2],
  { history }: RawTurnDependencies,
): Promise<boolean> {
  const signal = timeLimit(RELEASING_MS);
  if ((await history.releaseRaw(key, owner, to, signal)) === "released") return true;
  if (!to.acknowledges) return false;
  // A client may have acknowledged further meanwhile.
  return (await history.releaseRaw(key, owner, { ...to, acknowledges: false }, signal)) === "released";
}
