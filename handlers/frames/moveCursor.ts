import type { Cursor } from "../../protocol";
import type { History, Segment, SessionCursor } from "../history/history";
import { entriesBetween, isDone, seqIn } from "../history/recovery";
import { readRange } from "../history/readRange";
import { lastSeqOf } from "../history/segment";
import type { Log, LogFields } from "../log";
import { METRICS, type Metrics } from "../metrics";
import { receiptOf, type Receipts } from "../receipts/receipts";
import type { SessionKey } from "../sessions/sessionKey";

export interface MoveCursorDependencies {
  history: Pick<History, "readBack" | "readOn" | "acknowledge">;
  receipts: Receipts;
  metrics: Metrics;
  /** Epoch milliseconds. */
  now: () => number;
  log: Log;
}

/** A cursor that a client sent, of the log's present epoch, and not beyond its newest number. */
export interface Move {
  key: SessionKey;
  cursor: Cursor;
  /** How far the session's messages are acknowledged and reported. */
  done: Pick<SessionCursor, "acknowledged" | "settled">;
  /** Segments that were read already. */
  known: readonly Segment[];
  /** Identify the client's frame. */
  fields: LogFields;
  signal: AbortSignal;
}

/**
 * Acknowledges everything up to the cursor, and publishes the receipts for it. Changes nothing if the session's cursor is as
 * far.
 *
 * @throws if the topic may not have accepted a receipt, or the history fails. Then the cursor has not moved, or its answer
 * was lost: the client's next cursor moves it.
 */
export async function moveCursor(move: Move, dependencies: MoveCursorDependencies): Promise<void> {
  const { key, cursor, done, fields, signal } = move;
  const { history, receipts, metrics, log } = dependencies;
  const after = seqIn(cursor.epoch, done.acknowledged);
  if (after >= cursor.seq) return;
  // Before the cursor moves: otherwise a failure here would lose the receipts for good.
  if (receipts.wanted) await publishDelivered(move, after, dependencies);
  if ((await history.acknowledge(key, cursor, signal)) === "stale") return;
  const messages = cursor.seq - after;
  metrics.add(METRICS.acknowledged, messages);
  log.info("acknowledged", { ...fields, seq: cursor.seq, messages });
}

/** Receipts for the messages that the acknowledgement covers. Those that were reported as expired have their own. */
async function publishDelivered(
  { key, cursor, done, known, signal }: Move,
  after: number,
  { history, receipts, now }: MoveCursorDependencies,
): Promise<void> {
  const range = { from: Math.max(after, seqIn(cursor.epoch, done.settled)) + 1, through: cursor.seq };
  const holding = known.find((segment) => segment.first <= range.from && lastSeqOf(segment) >= range.through);
  for await (const segments of holding ? [[holding]] : readRange(history, key, range, signal)) {
    const nowMs = now();
    const entries = entriesBetween(segments, range.from, range.through);
    const delivered = entries.filter((entry) => !isDone(entry, done, cursor.epoch));
    await receipts.publish(
      delivered.map(({ messageId, epoch, seq }) =>
        receiptOf(key, { status: "delivered", messageId, epoch, seq }, nowMs),
      ),
      signal,
    );
  }
}
