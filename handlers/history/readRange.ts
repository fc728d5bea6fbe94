import type { SessionKey } from "../sessions/sessionKey";
import type { History, Segment } from "./history";
import { lastSeqOf } from "./segment";

type Reads = Pick<History, "readBack" | "readOn">;

/** As `throughFirst` of `readBack`: the session's last segment. */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** Segments that are read at a time. */
const PAGE = 100;

/**
 * The segment that holds the number, and up to `limit` after it; if the number's segment was deleted or not stored yet, the
 * one before it. The two parts are read in parallel: there may be a gap between them.
 *
 * @param maxCharacters As for `readOn`.
 */
export async function readFrom(
  history: Reads,
  key: SessionKey,
  seq: number,
  limit: number,
  signal?: AbortSignal,
  maxCharacters?: number,
): Promise<Segment[]> {
  const [before, after] = await Promise.all([
    history.readBack(key, seq, 1, signal),
    limit > 0 ? history.readOn(key, seq + 1, limit, signal, maxCharacters) : [],
  ]);
  return [...before, ...after];
}

/** The segments that hold the numbers `from` to `through`, in order, page by page. Deleted ones are left out. */
export async function* readRange(
  history: Reads,
  key: SessionKey,
  { from, through }: { from: number; through: number },
  signal?: AbortSignal,
): AsyncGenerator<Segment[]> {
  if (from > through) return;
  let page = await readFrom(history, key, from, Math.min(PAGE, through - from), signal);
  for (;;) {
    const last = page.at(-1);
    const held = page.filter((segment) => lastSeqOf(segment) >= from && segment.first <= through);
    if (held.length > 0) yield held;
    if (!last || lastSeqOf(last) < from || lastSeqOf(last) >= through) return;
    const next = lastSeqOf(last) + 1;
    page = await history.readOn(key, next, Math.min(PAGE, through - next + 1), signal);
  }
}
