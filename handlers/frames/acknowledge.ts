import type { Acknowledgement } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { type Environment, text } from "../environment";
import { historyFromEnvironment } from "../history/dynamoDbHistory";
import type { History } from "../history/history";
import { NEWEST } from "../history/readRange";
import { lastSeqOf } from "../history/segment";
import { consoleLog } from "../log";
import { metricsFromEnvironment } from "../metrics";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import { tableClient } from "../tableClient";
import { type ClientFrame, type FrameDependencies, type FrameHandler, frameHandler } from "./frame";
import { moveCursor, type MoveCursorDependencies } from "./moveCursor";
import { parseAcknowledgement } from "./parseFrame";

/** `now` and `log` are by default the clock and the console. */
export type AcknowledgeDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends FrameDependencies, MoveCursorDependencies {
  history: MoveCursorDependencies["history"] & Pick<History, "readCursor">;
}

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
  const { history, log } = dependencies;
  // The client has seen nothing of the epoch yet: there is nothing to move.
  if (cursor.seq === 0) return;
  const [done, [tail]] = await Promise.all([history.readCursor(key, signal), history.readBack(key, NEWEST, 1, signal)]);
  // It would cover messages that no client has seen.
  if (!tail || tail.epoch !== cursor.epoch || lastSeqOf(tail) < cursor.seq) {
    const reason = tail && tail.epoch !== cursor.epoch ? "another-epoch" : "no-such-number";
    log.warn("acknowledgement ignored", { ...fields, seq: cursor.seq, reason });
    return;
  }
  await moveCursor({ key, cursor, done, known: [tail], fields, signal }, dependencies);
}
