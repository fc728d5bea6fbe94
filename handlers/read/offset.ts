import type { Checked } from "../sessions/sessionKey";

/** A place in a session's log: right after the message with this number. */
export interface Position {
  /** Undefined if the session had no message yet. */
  epoch: string | undefined;
  seq: number;
}

/** Where a read begins: at the oldest message that is available, at the end, or after a message. */
export type From = "oldest" | "newest" | Position;

/** The protocol's special values of an offset. */
const SENTINELS = new Map<string, From>([
  ["-1", "oldest"],
  ["now", "newest"],
]);

/** The digits of JavaScript's largest safe integer. */
const SEQ_DIGITS = 16;

/** The offset of a position. Later positions of one log sort after earlier ones, as the protocol demands (section 8). */
export function offsetOf({ epoch = "", seq }: Position): string {
  return `${String(seq).padStart(SEQ_DIGITS, "0")}_${epoch}`;
}

/** Where the read with this `offset` begins; without one, at the oldest message. */
export function fromOffset(offset: string | undefined): Checked<From> {
  const sentinel = SENTINELS.get(offset ?? "-1");
  if (sentinel) return { value: sentinel };
  const [, digits, epoch] = /^(\d{16})_([\w-]{0,64})$/.exec(offset ?? "") ?? [];
  const seq = Number(digits);
  if (!Number.isSafeInteger(seq) || (epoch === "" && seq > 0)) {
    const shown = JSON.stringify(offset?.slice(0, 100));
    return { reason: `offset: got ${shown}; allowed: -1, now, or the Stream-Next-Offset of an earlier answer` };
  }
  return { value: { epoch: epoch === "" ? undefined : epoch, seq } };
}
