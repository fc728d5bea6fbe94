import type { Cursor } from "../../protocol";
import { isPastItsOwnExpiry } from "./envelopes";
import type { Entry } from "./history";
import { isAcknowledged } from "./recovery";
import type { ExpiryReason } from "./reportExpired";
import { deletableAtMs, dueAtMs } from "./retention";

/** What is done with an entry that the index says is due. */
export interface ExpiryDecision {
  /** Why its message is reported as expired first; undefined where it is not: it was acknowledged, or reported before. */
  report?: ExpiryReason;
  /** `strip` takes the body; the entry is due again then, or never. */
  then: { do: "delete" } | { do: "strip"; dueAtMs: number | undefined } | { do: "postpone"; dueAtMs: number };
}

export interface Circumstances {
  /** The session's newest number. */
  tailSeq: number;
  acknowledged: Cursor | undefined;
  retentionMs: number;
  nowMs: number;
}

/** Whether nothing needs the entry any more, unless it is the newest. What is so is a prefix of the log. */
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
  // The newest stays, without its body, for ever: else the sequence would begin anew under the same epoch.
  if (deletable) {
    return { ...report, then: entry.seq < tailSeq ? { do: "delete" } : { do: "strip", dueAtMs: undefined } };
  }
  if (hasExpired) return { ...report, then: { do: "strip", dueAtMs: deletableAtMs(entry, retentionMs) } };
  // The retention is longer now than when it was stored.
  return { then: { do: "postpone", dueAtMs: dueAtMs(entry, retentionMs) } };
}

/** Which of the two came first. */
function reasonOf({ storedAtMs, expiresAtMs = Infinity }: Entry, retentionMs: number): ExpiryReason {
  return expiresAtMs <= storedAtMs + retentionMs ? "expires-at" : "retention";
}
