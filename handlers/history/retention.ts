import type { Entry, EntryHead } from "./history";

/**
 * How long an entry is kept after the retention: longer than any invocation of `deliver` and any difference between clocks,
 * so that no entry is deleted while a function that has read it works on it.
 */
export const GRACE_MS = 120_000;

/** Whether the entry is within the retention. The others are a prefix of the log. */
export function isRetained({ storedAtMs }: Pick<Entry, "storedAtMs">, retentionMs: number, nowMs: number): boolean {
  return storedAtMs > nowMs - retentionMs;
}

/** When an entry may be deleted. */
export function deletableAtMs({ storedAtMs }: Pick<Entry, "storedAtMs">, retentionMs: number): number {
  return storedAtMs + retentionMs + GRACE_MS;
}

/** When the sweeper first looks at an entry: when it may be deleted, or its own `expiresAt` has passed. */
export function dueAtMs(entry: EntryHead, retentionMs: number): number {
  return Math.min(deletableAtMs(entry, retentionMs), entry.expiresAtMs ?? Infinity);
}

/** Claims older than this are void: their entries may have been deleted. */
export function voidBeforeMs(retentionMs: number, nowMs: number): number {
  return nowMs - retentionMs - GRACE_MS;
}

/** Whether the publisher's own `expiresAt` has passed. */
export function isPastItsOwnExpiry({ expiresAtMs }: Pick<Entry, "expiresAtMs">, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

/** Whether the entry can be delivered: it has its body and has not expired. */
export function isAvailable(entry: Entry, retentionMs: number, nowMs: number): boolean {
  return entry.body !== undefined && isRetained(entry, retentionMs, nowMs) && !isPastItsOwnExpiry(entry, nowMs);
}
