import { INDEX_SHARDS } from "../../handlers/connections/connectionItems";
import type { Entry, History } from "../../handlers/history/history";
import { NEWEST, readRange } from "../../handlers/history/readRange";
import { isDone, seqIn } from "../../handlers/history/recovery";
import { isAvailable } from "../../handlers/history/retention";
import { entriesOf, lastSeqOf } from "../../handlers/history/segment";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";

export type OpenReads = Pick<History, "findDue" | "readBack" | "readOn" | "readCursor">;

/** A session with messages that no client has acknowledged and that have not expired, in their order. */
export interface OpenSession {
  key: SessionKey;
  entries: Entry[];
}

/** Later than any session is due: each session with open messages has one that is due some time. */
const ANY_TIME_MS = Number.MAX_SAFE_INTEGER;

/** The sessions with open messages. Finds them by the index of due sessions, without reading the whole table. */
export async function* openSessions(
  history: OpenReads,
  now: () => Date,
  signal: AbortSignal,
): AsyncGenerator<OpenSession> {
  for (const shard of INDEX_SHARDS) {
    const sessions = new Map<string, SessionKey>();
    for await (const page of history.findDue(shard, ANY_TIME_MS, signal)) {
      for (const { key } of page) sessions.set(sessionId(key), key);
    }
    for (const key of sessions.values()) {
      const entries = await openEntries(history, key, now().getTime(), signal);
      if (entries.length > 0) yield { key, entries };
    }
  }
}

async function openEntries(history: OpenReads, key: SessionKey, nowMs: number, signal: AbortSignal): Promise<Entry[]> {
  const [tail] = await history.readBack(key, NEWEST, 1, signal);
  if (!tail) return [];
  const done = await history.readCursor(key, signal);
  const from = Math.max(done.oldestSeq, seqIn(tail.epoch, done.acknowledged) + 1);
  const open: Entry[] = [];
  for await (const segments of readRange(history, key, { from, through: lastSeqOf(tail) }, signal)) {
    // By the retention that each was stored with: the command does not know the present one.
    const available = segments.flatMap(entriesOf).filter((entry) => isAvailable(entry, Infinity, nowMs));
    open.push(...available.filter((entry) => !isDone(entry, done, tail.epoch)));
  }
  return open;
}
