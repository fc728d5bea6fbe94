import pLimit from "p-limit";
import type { SessionKey } from "../sessions/sessionKey";
import type { Entry, History, SessionCursor } from "./history";
import { isDone } from "./recovery";
import { type ExpiryReason, reportExpired, type ReportDependencies } from "./reportExpired";
import { endMs } from "./retention";

export interface ReportUnseenDependencies extends ReportDependencies {
  /** How long messages are delivered after they were stored. */
  retentionMs: number;
}

export interface ExpireUnseenDependencies extends ReportUnseenDependencies {
  history: Pick<History, "addReported">;
}

/** Entries that a client is about to skip, or to be told have expired. */
export interface Unseen {
  key: SessionKey;
  /** How far the session's messages are acknowledged and reported. */
  done: Pick<SessionCursor, "acknowledged" | "settled">;
  /** The log's present epoch. */
  presentEpoch: string | undefined;
  entries: readonly Entry[];
  signal: AbortSignal;
}

/** Parallel updates of segments. */
const MAX_PARALLEL_UPDATES = 10;

/**
 * Reports the entries that no client has received, and marks them as reported. Call it before a client can acknowledge them:
 * an acknowledged entry is never reported.
 *
 * @throws if a report may not have arrived, or the history fails.
 */
export async function expireUnseen(unseen: Unseen, dependencies: ExpireUnseenDependencies): Promise<void> {
  const { key, signal } = unseen;
  const segments = new Map<number, number[]>();
  for (const { segmentFirst, seq } of await reportUnseen(unseen, dependencies)) {
    segments.set(segmentFirst, [...(segments.get(segmentFirst) ?? []), seq - segmentFirst]);
  }
  await pLimit(MAX_PARALLEL_UPDATES).map(segments, ([first, positions]) =>
    dependencies.history.addReported(key, first, positions, signal),
  );
}

/**
 * Reports the entries that no client has received.
 *
 * @returns these. They are reported again unless the history is told.
 * @throws if a report may not have arrived.
 */
export async function reportUnseen(
  { key, done, presentEpoch, entries, signal }: Unseen,
  dependencies: ReportUnseenDependencies,
): Promise<Entry[]> {
  const unseen = entries.filter((entry) => !isDone(entry, done, presentEpoch));
  const expired = unseen.map((entry) => ({ entry, reason: reasonOf(entry, dependencies.retentionMs) }));
  await reportExpired(key, expired, dependencies, signal);
  return unseen;
}

/** By what it expired first. */
export function reasonOf(entry: Entry, retentionMs: number): ExpiryReason {
  const { expiresAtMs = Infinity } = entry;
  return expiresAtMs <= endMs(entry, retentionMs) ? "expires-at" : "retention";
}
