import type { Entry, EntryHead } from "../../../handlers/history/history";

export const now = 1_700_000_000_000;

/** The session that records of `sqsRecord` go to. */
export const key = { callerId: "user#42", context: "chat#7" };

/** An entry of a session's history: `m{seq}`, stored at `now`. */
export function entryOf(seq: number, given: Partial<Entry> = {}): Entry {
  return {
    epoch: "e1",
    seq,
    messageId: `m${seq}`,
    body: `body of m${seq}`,
    storedAtMs: now,
    expiresAtMs: undefined,
    attributes: {},
    ...given,
  };
}

/** That entry's head. */
export function headOf(seq: number, given: Partial<EntryHead> = {}): EntryHead {
  const { epoch, messageId, storedAtMs, expiresAtMs } = { ...entryOf(seq), ...given };
  return { epoch, seq, messageId, storedAtMs, expiresAtMs };
}
