import type { Cursor } from "../../protocol";
import type { Entry } from "./history";
import { isAcknowledged } from "./recovery";
import type { ExpiryReason } from "./reportExpired";
import { deletableAtMs, dueAtMs, isPastItsOwnExpiry } from "./retention";

/** What the sweeper does with a due entry. */
export interface ExpiryDecision {
  /** The reason with which its message is first reported as expired; undefined if it was acknowledged or reported before. */
  report?: ExpiryReason;
  /** `strip` removes the body; the entry is due again at `dueAtMs`, or never. */
  then: { do: "delete" } | { do: "strip"; dueAtMs: number | undefined } | { do: "postpone"; dueAtMs: number };
}

export interface Circumstances {
  /** The session's newest number. */
  tailSeq: number;
  acknowledged: Cursor | undefined;
  retentionMs: number;
  nowMs: number;
}

/** Whether the entry is no longer needed, unless it is the newest. Such entries are a prefix of the log. */
export function isDeletable(entry: Pick<Entry, "storedAtMs">, retentionMs: number, nowMs: number): boolean {
  return deletableAtMs(entry, retentionMs) <= nowMs;
}

export function expiryDecision(
  entry: Entry,
  { tailSeq, acknowledged, retentionMs, nowMs }: Circumstances,
): ExpiryDecision {
  const hasExpired = isPastItsOwnExpiry(entry, nowMs);
  const deletable = isDeletable(entry, retentionMs, nowMs);
  const isUnseen = entry.body !== undefined && !isAcknowledged(entry, acknowledged);
  const report = isUnseen && (deletable || hasExpired) ? { report: reasonOf(entry, retentionMs) } : {};
  // The newest entry is kept for ever, without its body: otherwise the sequence would restart under the same epoch.
  if (deletable) {
    return { ...report, then: entry.seq < tailSeq ? { do: "delete" } : { do: "strip", dueAtMs: undefined } };
  }
  if (hasExpired) return { ...report, then: { do: "strip", dueAtMs: deletableAtMs(entry, retentionMs) } };
  // The retention has become longer since it was stored.
  return { then: { do: "postpone", dueAtMs: dueAtMs(entry, retentionMs) } };
}

/** The earlier of the two. */
function reasonOf({ storedAtMs, expiresAtMs = Infinity }: Entry, retentionMs: number): ExpiryReason {
  return expiresAtMs <= storedAtMs + retentionMs ? "expires-at" : "retention";
}
