import type { History, Segment, StoredMessage } from "../../../handlers/history/history";
import { ENDANGERED_MS, REPORT_GRACE_MS, ttlSlackMs, WORKER_LIFE_MS } from "../../../handlers/history/retention";
import { isSealed, lastSeqOf } from "../../../handlers/history/segment";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";

export const now = 1_700_000_000_000;

export const key: SessionKey = { callerId: "user#42", context: "chat#7" };

/** The messages of a segment with these numbers. */
export function messagesOf(first: number, count: number, given: Partial<StoredMessage> = {}): StoredMessage[] {
  return Array.from({ length: count }, (_, i) => ({ id: `m${first + i}`, body: `body ${first + i}`, ...given }));
}

/** A segment of the epoch `e` that was stored with that retention, and is marked at the end of its messages. */
export function segmentOf(
  first: number,
  count: number,
  storedAtMs: number,
  retentionMs: number,
  given: Partial<Segment> = {},
): Segment {
  const untilMs = storedAtMs + retentionMs;
  return {
    first,
    count,
    epoch: "e",
    generation: 0,
    storedAtMs,
    untilMs,
    messages: messagesOf(first, count),
    reported: [],
    recent: { coveredFromMs: 0, groups: [] },
    dueAtMs: untilMs + REPORT_GRACE_MS,
    isMarked: true,
    ttlMs: untilMs + ttlSlackMs(retentionMs),
    ...given,
  };
}

interface Appender {
  history: Pick<History, "readBack" | "renew" | "put">;
  retentionMs: number;
  now: () => number;
  newEpoch: () => string;
}

/** Stores one batch of new messages, as `append` does, without its deduplication. */
export async function appendTo(
  of: SessionKey,
  messages: readonly StoredMessage[],
  { history, retentionMs, now, newEpoch }: Appender,
): Promise<Segment> {
  for (;;) {
    const [tail] = await history.readBack(of, Number.MAX_SAFE_INTEGER, 1);
    const nowMs = now();
    if (tail && (isSealed(tail) || (tail.ttlMs ?? 0) <= nowMs + ENDANGERED_MS)) {
      const ttlMs = Math.max(nowMs, tail.storedAtMs) + retentionMs + ttlSlackMs(retentionMs);
      await history.renew(of, tail, { ttlMs, ...(!isSealed(tail) && { nextEpoch: newEpoch() }) });
      continue;
    }
    const segment = segmentAfter(tail, messages, nowMs, retentionMs, newEpoch);
    if ((await history.put(of, segment)) === "stored") return segment;
  }
}

function segmentAfter(
  tail: Segment | undefined,
  messages: readonly StoredMessage[],
  nowMs: number,
  retentionMs: number,
  newEpoch: () => string,
): Segment {
  const storedAtMs = Math.max(nowMs, tail?.storedAtMs ?? 0);
  const untilMs = Math.max(storedAtMs + retentionMs, tail?.untilMs ?? 0);
  const endMs = untilMs + REPORT_GRACE_MS;
  const isPending =
    tail?.dueAtMs !== undefined && tail.dueAtMs > storedAtMs + 2 * WORKER_LIFE_MS && tail.dueAtMs <= endMs;
  const ownExpiryMs = Math.min(...messages.map(({ expiresAtMs = Infinity }) => expiresAtMs));
  const hasOwnExpiry = ownExpiryMs < untilMs;
  const dueAtMs = Math.min(isPending ? (tail.dueAtMs ?? endMs) : endMs, hasOwnExpiry ? ownExpiryMs : Infinity);
  return segmentOf(tail ? lastSeqOf(tail) + 1 : 1, messages.length, storedAtMs, retentionMs, {
    epoch: tail ? (tail.nextEpoch ?? tail.epoch) : newEpoch(),
    untilMs,
    messages,
    dueAtMs,
    isMarked: hasOwnExpiry || !isPending,
    ttlMs: Math.max(untilMs + ttlSlackMs(retentionMs), tail?.ttlMs ?? 0),
  });
}
