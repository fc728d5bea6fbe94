import type { Entry, EntryHead } from "../../../handlers/history/history";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import type { MemoryHistory } from "../../support/memoryHistory";

/** What the functions take for the time, unless a test sets its clock. */
export const now = 1_700_000_000_000;

export const key: SessionKey = { callerId: "user#42", context: "chat#7" };

/** An entry that was stored a second ago, in the epoch `e`. */
export function entryOf(seq: number, given: Partial<Entry> = {}): Entry {
  return {
    epoch: "e",
    seq,
    messageId: `m${seq}`,
    body: `body ${seq}`,
    storedAtMs: now - 1_000,
    expiresAtMs: undefined,
    attributes: {},
    ...given,
  };
}

export function headOf({ epoch, seq, messageId, storedAtMs, expiresAtMs }: Entry): EntryHead {
  return { epoch, seq, messageId, storedAtMs, expiresAtMs };
}

/** Stores entries as `deliver` would have. */
export async function store(history: MemoryHistory, ...entries: Entry[]): Promise<void> {
  for (const entry of entries) await history.put(key, entry);
  history.calls.length = 0;
}

/** Entries with these numbers. */
export function entriesOf(first: number, last: number, given: Partial<Entry> = {}): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => entryOf(first + i, given));
}
