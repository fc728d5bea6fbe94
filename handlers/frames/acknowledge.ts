import type { Acknowledgement, Cursor } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { type Environment, text } from "../environment";
import { consoleLog } from "../log";
import { METRICS, metricsFromEnvironment } from "../metrics";
import type { SessionKey } from "../sessions/sessionKey";
import { tableClient } from "../dynamoDb";
import { historyFromEnvironment } from "../history/dynamoDbHistory";
import { type ClientFrame, type FrameDependencies, type FrameHandler, frameHandler } from "./frame";
import type { History } from "../history/history";
import { receiptsFromEnvironment } from "../receipts/topicReceipts";
import { parseAcknowledgement } from "./parseFrame";
import { receiptOf, type Receipts } from "../receipts/receipts";

/** `now` and `log` are by default the clock and the console. */
export type AcknowledgeDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends FrameDependencies {
  history: Pick<History, "readAcknowledged" | "readEntry" | "readAfter" | "acknowledge">;
  receipts: Receipts;
}

/** How many messages get their receipts at a time. */
const PAGE = 100;

/**
 * Called for the route `ack`: moves forward what the session has acknowledged. Nothing is answered; a fault is told, so that
 * the client says it once more, for there may be no next message whose acknowledgement would cover this one's. A superseded
 * connection's are taken too, for what it has got has arrived.
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
  // Of a client that has seen nothing of the epoch yet: there is nothing to move.
  if (cursor.seq === 0) return;
  const [acknowledged, entry] = await Promise.all([
    history.readAcknowledged(key, signal),
    history.readEntry(key, cursor.seq, signal),
  ]);
  // What never stood there, or stands no more, would cover messages that nobody has seen yet.
  if (entry?.epoch !== cursor.epoch) {
    const reason = entry ? "another-epoch" : "no-such-number";
    log.warn("acknowledgement ignored", { ...fields, seq: cursor.seq, reason });
    return;
  }
  const after = acknowledged?.epoch === cursor.epoch ? acknowledged.seq : 0;
  if (after >= cursor.seq) return;

  // First: were it moved and these not published, nobody would ever publish them.
  if (receipts.wanted) await publishDelivered(key, after, cursor, dependencies, signal);
  if ((await history.acknowledge(key, cursor, signal)) === "stale") return;
  metrics.add(METRICS.acknowledged, cursor.seq - after);
  log.info("acknowledged", { ...fields, seq: cursor.seq, messages: cursor.seq - after });
}

/** Receipts for what the acknowledgement covers; what has no body any more has expired, and has got its own. */
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
