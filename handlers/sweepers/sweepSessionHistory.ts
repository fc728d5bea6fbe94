import pLimit from "p-limit";
import { type Circumstances, type ExpiryDecision, expiryDecision, isDeletable } from "../history/expiryDecision";
import type { Entry, History } from "../history/history";
import { type Expired, reportExpired, type ReportDependencies } from "../history/reportExpired";
import type { SessionKey } from "../sessions/sessionKey";

export interface SweepSessionHistoryDependencies extends ReportDependencies {
  history: Pick<History, "readTail" | "readAcknowledged" | "readEntry" | "readAfter" | "strip" | "postpone" | "delete">;
  /** How long messages are delivered after they were stored. */
  retentionMs: number;
}

/** The number of entries by how they were handled. */
export interface SweptEntries {
  reported: number;
  deleted: number;
  stripped: number;
  postponed: number;
}

export const NOTHING_SWEPT: Readonly<SweptEntries> = { reported: 0, deleted: 0, stripped: 0, postponed: 0 };

/** Entries that are read at a time. */
const PAGE = 100;

/** Parallel writes of one session; sessions are swept in parallel, too. */
const MAX_PARALLEL_WRITES = 5;

/**
 * Handles a session's due entries, in order. If one is old enough to be deleted, so is everything before it, including a
 * former newest entry, which was kept and is no longer in the index.
 *
 * @throws if a call fails: entries that were reported until then may be reported again the next time.
 */
export async function sweepSessionHistory(
  key: SessionKey,
  seqs: readonly number[],
  dependencies: SweepSessionHistoryDependencies,
  signal: AbortSignal,
): Promise<SweptEntries> {
  const { history, retentionMs, now } = dependencies;
  const swept: SweptEntries = { ...NOTHING_SWEPT };
  const nowMs = now();
  const circumstances = async (): Promise<Circumstances> => {
    const [tail, acknowledged] = await Promise.all([
      history.readTail(key, signal),
      history.readAcknowledged(key, signal),
    ]);
    return { tailSeq: tail?.seq ?? 0, acknowledged, retentionMs, nowMs };
  };
  let known: Circumstances | undefined;
  let deletedThrough = 0;

  for (const seq of seqs) {
    if (seq <= deletedThrough) continue;
    // The index lags: the entry may be gone.
    const entry = await history.readEntry(key, seq, signal);
    if (!entry) continue;
    known ??= await circumstances();
    if (isDeletable(entry, retentionMs, nowMs)) {
      deletedThrough = await sweepPrefix(key, known, swept, dependencies, signal);
    } else {
      await carryOut(key, [entry], known, swept, dependencies, signal);
    }
  }
  return swept;
}

/** @returns the last number that was old enough to be deleted */
async function sweepPrefix(
  key: SessionKey,
  circumstances: Circumstances,
  swept: SweptEntries,
  dependencies: SweepSessionHistoryDependencies,
  signal: AbortSignal,
): Promise<number> {
  const { retentionMs, nowMs } = circumstances;
  for (let through = 0; ;) {
    const page = await dependencies.history.readAfter(key, through, PAGE, signal);
    const end = page.findIndex((entry) => !isDeletable(entry, retentionMs, nowMs));
    const deletable = end === -1 ? page : page.slice(0, end);
    await carryOut(key, deletable, circumstances, swept, dependencies, signal);
    through = deletable.at(-1)?.seq ?? through;
    if (end !== -1 || page.length === 0) return through;
  }
}

/** Reports expired entries first, and only then removes bodies and entries. */
async function carryOut(
  key: SessionKey,
  entries: readonly Entry[],
  circumstances: Circumstances,
  swept: SweptEntries,
  dependencies: SweepSessionHistoryDependencies,
  signal: AbortSignal,
): Promise<void> {
  const decisions = entries.map((entry) => ({ entry, decision: expiryDecision(entry, circumstances) }));
  const expired = decisions.flatMap(({ entry, decision: { report } }): Expired[] =>
    report ? [{ entry, reason: report }] : [],
  );
  await reportExpired(key, expired, dependencies, signal);
  swept.reported += expired.length;
  await pLimit(MAX_PARALLEL_WRITES).map(decisions, async ({ entry, decision: { then } }) => {
    await write(key, entry.seq, then, dependencies.history, signal);
    swept[then.do === "delete" ? "deleted" : then.do === "strip" ? "stripped" : "postponed"] += 1;
  });
}

async function write(
  key: SessionKey,
  seq: number,
  then: ExpiryDecision["then"],
  history: SweepSessionHistoryDependencies["history"],
  signal: AbortSignal,
): Promise<void> {
  switch (then.do) {
    case "delete":
      return await history.delete(key, seq, signal);
    case "strip":
      return await history.strip(key, seq, then.dueAtMs, signal);
    case "postpone":
      return await history.postpone(key, seq, then.dueAtMs, signal);
  }
}
