import type { Acknowledgement, Cursor } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { type Environment, text } from "../environment";
import { historyFromEnvironment } from "../history/dynamoDbHistory";
import type { History } from "../history/history";
import { consoleLog } from "../log";
import { METRICS, metricsFromEnvironment } from "../metrics";
import { receiptOf, type Receipts } from "../receipts/receipts";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import type { SessionKey } from "../sessions/sessionKey";
import { tableClient } from "../tableClient";
import { type ClientFrame, type FrameDependencies, type FrameHandler, frameHandler } from "./frame";
import { parseAcknowledgement } from "./parseFrame";

/** `now` and `log` are by default the clock and the console. */
export type AcknowledgeDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends FrameDependencies {
  history: Pick<History, "readAcknowledged" | "readEntry" | "readAfter" | "acknowledge">;
  receipts: Receipts;
}

/** Messages whose receipts are published at a time. */
const PAGE = 100;

/**
 * Called for the route `ack`: moves the session's acknowledged cursor forward. The client only gets an answer after a fault:
 * it then repeats the acknowledgement, since there may be no later one to cover it. Acknowledgements of a superseded
 * connection count, too: its messages have arrived.
 */
export function acknowledge(given: AcknowledgeDependencies): FrameHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const handle = (frame: ClientFrame<Acknowledgement>) => moveForward(frame, dependencies);
  return frameHandler({ action: "ack", parse: parseAcknowledgement, handle }, dependencies);
}

/** `acknowledge` as the component deploys it. */
export function acknowledgeFromEnvironment(environment: Environment): FrameHandler {
  return acknowledge({
    lookups: new DynamoDbConnectionLookups(tableClient(), { tableName: text(environment, "TABLE_NAME") }),
    history: historyFromEnvironment(environment),
    connections: connectionsFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

async function moveForward(frame: ClientFrame<Acknowledgement>, dependencies: Dependencies): Promise<void> {
  const { key, fields, signal } = frame;
  const { cursor } = frame.action;
  const { history, receipts, metrics, log } = dependencies;
  // The client has seen nothing of the epoch yet: there is nothing to move.
  if (cursor.seq === 0) return;
  const [acknowledged, entry] = await Promise.all([
    history.readAcknowledged(key, signal),
    history.readEntry(key, cursor.seq, signal),
  ]);
  // A cursor that never existed, or no longer does, would cover messages that no client has seen.
  if (entry?.epoch !== cursor.epoch) {
    const reason = entry ? "another-epoch" : "no-such-number";
    log.warn("acknowledgement ignored", { ...fields, seq: cursor.seq, reason });
    return;
  }
  const after = acknowledged?.epoch === cursor.epoch ? acknowledged.seq : 0;
  if (after >= cursor.seq) return;

  // Before the cursor moves: otherwise a failure here would lose the receipts for good.
  if (receipts.wanted) await publishDelivered(key, after, cursor, dependencies, signal);
  if ((await history.acknowledge(key, cursor, signal)) === "stale") return;
  metrics.add(METRICS.acknowledged, cursor.seq - after);
  log.info("acknowledged", { ...fields, seq: cursor.seq, messages: cursor.seq - after });
}

/** Receipts for the messages that the acknowledgement covers. One without a body has expired and has its own receipt. */
async function publishDelivered(
  key: SessionKey,
  after: number,
  cursor: Cursor,
  { history, receipts, now }: Dependencies,
  signal: AbortSignal,
): Promise<void> {
  while (after < cursor.seq) {
    const page = await history.readAfter(key, after, Math.min(PAGE, cursor.seq - after), signal);
    const delivered = page.filter(({ seq, body }) => seq <= cursor.seq && body !== undefined);
    const nowMs = now();
    await receipts.publish(
      delivered.map(({ messageId, epoch, seq }) =>
        receiptOf(key, { status: "delivered", messageId, epoch, seq }, nowMs),
      ),
      signal,
    );
    after = page.at(-1)?.seq ?? cursor.seq;
  }
}
