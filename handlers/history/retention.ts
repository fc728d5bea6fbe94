import { isPastItsOwnExpiry } from "./envelopes";
import type { Entry, EntryHead } from "./history";

/**
 * For how long after the retention an entry stays: longer than any invocation of `deliver` and than the clocks of two functions
 * differ, so that nothing that one of them has read as standing is deleted while it works on it.
 */
export const GRACE_MS = 120_000;

/** Whether the entry is still delivered, as far as the history's retention goes. What is not is a prefix of the log. */
export function isRetained({ storedAtMs }: Pick<Entry, "storedAtMs">, retentionMs: number, nowMs: number): boolean {
  return storedAtMs > nowMs - retentionMs;
}

/** From when on an entry may be deleted. */
export function deletableAtMs({ storedAtMs }: Pick<Entry, "storedAtMs">, retentionMs: number): number {
  return storedAtMs + retentionMs + GRACE_MS;
}

/** When an entry that was just stored is to be looked at: when it may be deleted, or has expired of itself. */
export function dueAtMs(entry: EntryHead, retentionMs: number): number {
  return Math.min(deletableAtMs(entry, retentionMs), entry.expiresAtMs ?? Infinity);
}

/** Claims from before that are void: whatever they were for may have been deleted. */
export function voidBeforeMs(retentionMs: number, nowMs: number): number {
  return nowMs - retentionMs - GRACE_MS;
}

/** Whether there is something to show of the entry: its body is there, and it is not too late for it. */
export function isAvailable(entry: Entry, retentionMs: number, nowMs: number): boolean {
  return entry.body !== undefined && isRetained(entry, retentionMs, nowMs) && !isPastItsOwnExpiry(entry, nowMs);
}
