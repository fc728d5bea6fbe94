import type { SessionKey } from "../sessions/sessionKey";
import { timeLimit } from "../timeLimit";
import { newEpoch as randomEpoch } from "./epoch";
import { findStored, type FindDependencies, type Found, type NewMessage } from "./findStored";
import type { Entry, History, Segment } from "./history";
import { KnownIds } from "./knownIds";
import { hashOfId, type RecentIds } from "./recentIds";
import { NEWEST } from "./readRange";
import {
  ENDANGERED_MS,
  endMs,
  isPastItsOwnExpiry,
  REPORT_GRACE_MS,
  ttlSlackMs,
  waitingVisitAtMs,
  WORKER_LIFE_MS,
} from "./retention";
import { entriesOf, isSealed, lastSeqOf } from "./segment";
import { timer } from "../timer";

export interface AppendDependencies extends FindDependencies {
  history: Pick<History, "readBack" | "readCursor" | "renew" | "put">;
  /** The setting `historyGeneration`. */
  generation: number;
  /** Returns a number in [0, 1). */
  random: () => number;
  /** Names a session's sequence when it begins. @default 72 random bits */
  newEpoch?: () => string;
  /**
   * Whether a message with an `expiresAt` brings the sweeper soon after that, to be reported. If not, it is reported at the end
   * of the retention. @default true
   */
  reportsOwnExpiry?: boolean;
  /** After how long an open message gets the receipt `waiting`. @default never */
  waitingAfterMs?: number;
  /** Waits between two rounds. @default a timer */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A message that is stored, with its number. */
export interface Appended extends Found {
  /** Whether another copy of it was stored, now or before. */
  isCopy: boolean;
}

/** The most messages, and bytes of messages in JSON, of a segment; a single message may be larger. */
export const MAX_SEGMENT = { messages: 100, bytes: 256 * 1024 };

/**
 * The pause after a lost race is random, up to this; each further one is up to twice as long. Measured with ten workers, 100
 * batches a second for one session and calls of 2 to 6 ms: 1.1 puts a batch, and five rounds at most.
 */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 160;

/** Other messages of the same session were faster each time. */
export class HistoryContendedError extends Error {
  override readonly name = "HistoryContendedError";

  constructor(lostRaces: number) {
    super(`not stored in ${WORKER_LIFE_MS / 1000} s: other messages of the session were faster ${lostRaces} times`);
  }
}

/**
 * Stores a session's messages behind its last one, in one segment, in their order, and gives each its number. A message that
 * is stored already has its number. A segment is put only at the number after the last one, and only if no other one is
 * there, so that there are no holes and no number is given twice. If another worker was faster, its messages are read and
 * the put is tried again, until the time is up.
 *
 * @param messages As many as fit into a segment.
 * @param known What is known of the session's ids, and of its last segment, from the appends before.
 * @returns the stored messages; one that is missing has expired by its own `expiresAt` and was not stored.
 * @throws if the table fails, the signal aborts, or all the time was not enough (`HistoryContendedError`). Messages may have
 * been stored all the same: the next attempt finds them.
 */
export async function append(
  key: SessionKey,
  messages: readonly NewMessage[],
  dependencies: AppendDependencies,
  signal: AbortSignal,
  known = new KnownIds(),
): Promise<Map<NewMessage, Appended>> {
  const { history, now, random, newEpoch = randomEpoch, pause = timer } = dependencies;
  let stored = known.takeTail(now());
  // What is known of the log must not be acted on for longer.
  const lifeMs = WORKER_LIFE_MS - (stored ? Math.max(now() - stored.atMs, 0) : 0);
  const limit = AbortSignal.any([signal, timeLimit(lifeMs)]);
  const deadlineMs = now() + lifeMs;
  let tried: Segment | undefined;
  let lostRaces = 0;
  /** Only read if the log is empty. */
  let firstOfEmpty: number | undefined;
  for (;;) {
    const [tail] = stored ? [stored.segment] : await history.readBack(key, NEWEST, 1, limit);
    const isRead = !stored;
    stored = undefined;
    if (!tail && firstOfEmpty === undefined) {
      firstOfEmpty = await readFirstOfEmpty(key, history, limit);
      // Others may have stored and acknowledged messages while the cursor was read.
      continue;
    }

    const found = tail
      ? await findStored(key, messages, tail, known, dependencies, limit)
      : new Map<NewMessage, Found>();
    const fresh = messages.filter((message) => !found.has(message) && !isPastItsOwnExpiry(message.stored, now()));
    // Only a put proves that it is the last one still. What has become of copies is read.
    if (!isRead && (found.size > 0 || fresh.length === 0)) continue;
    if (now() >= deadlineMs) throw new HistoryContendedError(lostRaces);
    if (fresh.length > 0 && tail && mayBeDeleted(tail, now())) {
      await history.renew(key, tail, renewalOf(tail, { ...dependencies, newEpoch }), limit);
      continue;
    }

    const first = tail ? lastSeqOf(tail) + 1 : (firstOfEmpty ?? 1);
    const segment =
      fresh.length > 0 ? segmentAt(first, tail, firstOfEachId(fresh), { ...dependencies, newEpoch }) : undefined;
    const putAtMs = now();
    if (!segment || (await history.put(key, segment, limit)) === "stored") {
      if (segment) known.storedTail(segment, putAtMs);
      return appended(messages, found, fresh, segment, tried);
    }
    // Taken by another worker, or by this one: the SDK repeats a put whose answer was lost.
    tried = segment;
    lostRaces += 1;
    await pause(random() * Math.min(FIRST_PAUSE_MS * 2 ** (lostRaces - 1), LONGEST_PAUSE_MS), limit);
  }
}

/** Whether the tail has no TTL, or one so near that the tail may be deleted before its successor is put. */
function mayBeDeleted({ ttlMs }: Segment, nowMs: number): boolean {
  return ttlMs === undefined || ttlMs <= nowMs + ENDANGERED_MS;
}

/** What keeps a tail until its successor is put, and no longer than that. */
function renewalOf(
  tail: Segment,
  { retentionMs, now, newEpoch }: AppendDependencies & { newEpoch: () => string },
): Parameters<History["renew"]>[2] {
  const untilMs = Math.max(now(), tail.storedAtMs) + retentionMs;
  const ttlMs = untilMs + ttlSlackMs(retentionMs);
  // The successor may already have been deleted, so that its numbers were used.
  if (!isSealed(tail)) return { ttlMs, nextEpoch: newEpoch() };
  // If no successor follows, a visit seals it again. If one does, this is its pending visit.
  return tail.isMarked ? { ttlMs } : { ttlMs, dueAtMs: untilMs + REPORT_GRACE_MS };
}

/**
 * The first number to give in an empty log. If the log had messages before, the session's cursor remembers their numbers, and
 * numbering continues after them.
 */
async function readFirstOfEmpty(
  key: SessionKey,
  history: AppendDependencies["history"],
  signal: AbortSignal,
): Promise<number> {
  const { acknowledged, settled, oldestSeq } = await history.readCursor(key, signal);
  return Math.max(acknowledged?.seq ?? 0, settled?.seq ?? 0, oldestSeq - 1) + 1;
}

function segmentAt(
  first: number,
  tail: Segment | undefined,
  fresh: readonly NewMessage[],
  dependencies: AppendDependencies & { newEpoch: () => string },
): Segment {
  const { retentionMs, generation, now, newEpoch } = dependencies;
  // Times only move forward, although clocks differ: what has expired is always a prefix of the log.
  const storedAtMs = Math.max(now(), tail?.storedAtMs ?? 0, ...fresh.map(({ sentAtMs }) => sentAtMs));
  const untilMs = Math.max(storedAtMs + retentionMs, tail?.untilMs ?? 0);
  const continues = tail !== undefined && tail.generation >= generation;
  return {
    first,
    count: fresh.length,
    epoch: continues ? (tail.nextEpoch ?? tail.epoch) : newEpoch(),
    generation: Math.max(generation, tail?.generation ?? 0),
    storedAtMs,
    untilMs,
    messages: fresh.map(({ stored }) => stored),
    reported: [],
    recent: recentAfter(tail),
    ...dueOf(tail, fresh, { storedAtMs, untilMs }, dependencies),
    ttlMs: Math.max(untilMs + ttlSlackMs(retentionMs), tail?.ttlMs ?? 0),
  };
}

function recentAfter(tail: Segment | undefined): RecentIds {
  if (!tail) return { coveredFromMs: 0, groups: [] };
  const { storedAtMs, recent, messages } = tail;
  // It was sealed, and its ids are gone.
  if (messages.length === 0) return { coveredFromMs: storedAtMs + 1, groups: [] };
  return { ...recent, groups: [...recent.groups, { storedAtMs, hashes: messages.map(({ id }) => hashOfId(id)) }] };
}

/** When the session is next visited by the sweeper, and whether this segment has to bring it. */
function dueOf(
  tail: Segment | undefined,
  fresh: readonly NewMessage[],
  stored: Pick<Segment, "storedAtMs" | "untilMs">,
  { retentionMs, reportsOwnExpiry = true, waitingAfterMs }: AppendDependencies,
): Pick<Segment, "dueAtMs" | "laterDueAtMs" | "isMarked"> {
  const reportedAtMs = endMs(stored, retentionMs) + REPORT_GRACE_MS;
  const neededAtMs = waitingAfterMs === undefined ? reportedAtMs : waitingVisitAtMs(stored, waitingAfterMs);
  const pending = pendingVisits(tail, stored.storedAtMs, reportedAtMs);
  const [pendingAtMs = Infinity] = pending;
  const isPending = pendingAtMs <= neededAtMs;
  const expiresAtMs = Math.min(...fresh.map((message) => message.stored.expiresAtMs ?? Infinity)) + REPORT_GRACE_MS;
  const reportsOwn = reportsOwnExpiry && expiresAtMs < reportedAtMs;
  const dueAtMs = Math.min(pendingAtMs, neededAtMs, reportsOwn ? expiresAtMs : Infinity);
  const laterDueAtMs = waitingAfterMs === undefined ? undefined : pending.find((atMs) => atMs > dueAtMs);
  return {
    dueAtMs,
    ...(laterDueAtMs !== undefined && { laterDueAtMs }),
    isMarked: reportsOwn || !isPending,
  };
}

/** When the session is visited that the tail knows of, by `throughMs`: the earliest first. */
function pendingVisits(tail: Segment | undefined, storedAtMs: number, throughMs: number): number[] {
  return (
    [tail?.dueAtMs ?? 0, tail?.laterDueAtMs ?? 0]
      // Nearer ones may just be worked on: that visit may not see this segment.
      .filter((atMs) => atMs > storedAtMs + 2 * WORKER_LIFE_MS && atMs <= throughMs)
      .sort((a, b) => a - b)
  );
}

function firstOfEachId(messages: readonly NewMessage[]): NewMessage[] {
  const byId = new Map<string, NewMessage>();
  for (const message of messages) if (!byId.has(message.stored.id)) byId.set(message.stored.id, message);
  return [...byId.values()];
}

function appended(
  messages: readonly NewMessage[],
  found: ReadonlyMap<NewMessage, Found>,
  fresh: readonly NewMessage[],
  segment: Segment | undefined,
  tried: Segment | undefined,
): Map<NewMessage, Appended> {
  const entries = new Map((segment ? entriesOf(segment) : []).map((entry) => [entry.messageId, entry]));
  const seen = new Set<number>();
  return new Map(
    messages.flatMap((message): [NewMessage, Appended][] => {
      const earlier = found.get(message);
      if (!earlier && !(segment && fresh.includes(message))) return [];
      const stored = earlier ?? { segment: segment as Segment, entry: entries.get(message.stored.id) as Entry };
      const isOwn = !earlier || (tried !== undefined && isSamePut(tried, earlier.segment));
      const isCopy = !isOwn || seen.has(stored.entry.seq);
      seen.add(stored.entry.seq);
      return [[message, { ...stored, isCopy }]];
    }),
  );
}

/** Whether the put that was answered with "taken" had been carried out. */
function isSamePut(tried: Segment, stored: Segment): boolean {
  const idsOf = ({ messages }: Segment) => JSON.stringify(messages.map(({ id }) => id));
  return tried.first === stored.first && idsOf(tried) === idsOf(stored);
}
