import { append } from "../../../handlers/history/append";
import type { History, Segment, StoredMessage } from "../../../handlers/history/history";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import * as segments from "../history/segments";

/** A segment that was stored with that retention, and brings the sweeper at the end of its messages. */
export function segmentOf(
  first: number,
  count: number,
  storedAtMs: number,
  retentionMs: number,
  given: Partial<Segment> = {},
): Segment {
  return segments.segmentOf(first, { count, storedAtMs, retentionMs, isMarked: true, ...given });
}

interface Appender {
  history: Pick<History, "readBack" | "readCursor" | "renew" | "put">;
  retentionMs: number;
  waitingAfterMs?: number;
  now: () => number;
  newEpoch: () => string;
}

/** Stores one batch of new messages, as `deliver` does. */
export async function appendTo(
  key: SessionKey,
  messages: readonly StoredMessage[],
  appender: Appender,
): Promise<Segment> {
  const appended = await appendUnexpired(key, messages, appender);
  if (!appended) throw new Error("all messages had expired");
  return appended;
}

/** As {@link appendTo}. Returns undefined if all of the messages had expired. */
export async function appendUnexpired(
  key: SessionKey,
  messages: readonly StoredMessage[],
  appender: Appender,
): Promise<Segment | undefined> {
  const news = messages.map((stored) => ({ stored, sentAtMs: 0, copySinceMs: Infinity }));
  const dependencies = { ...appender, generation: 0, random: () => 0, pause: () => Promise.resolve() };
  const appended = await append(key, news, dependencies, new AbortController().signal);
  const [first] = appended.values();
  return first?.segment;
}
