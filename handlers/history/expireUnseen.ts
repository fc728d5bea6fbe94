import type { Cursor } from "../../protocol";
import type { SessionKey } from "../sessions/sessionKey";
import type { Entry, History } from "./history";
import { isAcknowledged } from "./recovery";
import { type ExpiryReason, reportExpired, type ReportDependencies } from "./reportExpired";
import { deletableAtMs } from "./retention";

export interface ExpireUnseenDependencies extends ReportDependencies {
  history: Pick<History, "strip">;
  /** How long messages are delivered after they were stored. */
  retentionMs: number;
}

/** Entries that a client is about to skip, or to be told have expired. */
export interface Unseen {
  key: SessionKey;
  /** The cursor that the session's clients have acknowledged. */
  acknowledged: Cursor | undefined;
  entries: readonly Entry[];
  reason: ExpiryReason;
  signal: AbortSignal;
}

/**
 * Reports the entries that no client has received, and removes their bodies. Call it before a client can acknowledge them:
 * an acknowledged entry is never reported.
 *
 * @throws if a report may not have arrived, or the history fails.
 */
export async function expireUnseen(unseen: Unseen, dependencies: ExpireUnseenDependencies): Promise<void> {
  const { key, acknowledged, reason, signal } = unseen;
  const { history, retentionMs } = dependencies;
  const entries = unseen.entries.filter((entry) => entry.body !== undefined && !isAcknowledged(entry, acknowledged));
  const expired = entries.map((entry) => ({ entry, reason }));
  await reportExpired(key, expired, dependencies, signal);
  for (const entry of entries) await history.strip(key, entry.seq, deletableAtMs(entry, retentionMs), signal);
}
