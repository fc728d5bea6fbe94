import { type Hello, type Resume, type Resumed, SUBPROTOCOLS, type Superseded } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import {
  type ConnectionsClient,
  connectionsFromEnvironment,
  YOUNG_CONNECTION_MS,
} from "../connections/connectionsClient";
import { reasonToEnd } from "../connections/postToConnection";
import { type Environment, positiveInteger, text } from "../environment";
import { historyFromEnvironment, retentionMsFromEnvironment } from "../history/dynamoDbHistory";
import { reportUnseen, type Unseen } from "../history/expireUnseen";
import type { History } from "../history/history";
import { firstPageOf, readEnds, type ReadLog, readLog } from "../history/readLog";
import { readRange } from "../history/readRange";
import { arrivedOf, entriesBetween, isDone, seqIn, startOf, throughOf } from "../history/recovery";
import { consoleLog, errorFields } from "../log";
import { REASONS } from "../messages/reasons";
import { METRICS, metricsFromEnvironment } from "../metrics";
import { deadLetterQueueFromEnvironment } from "../queue/queue";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import type { SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import { DynamoDbSessionRows } from "../sessions/sessionRows";
import type { SessionStore } from "../sessions/sessionStore";
import { tableClient } from "../tableClient";
import {
  type ClientFrame,
  type FrameDependencies,
  type FrameHandler,
  frameHandler,
  posted,
  refuse,
  tellUnavailable,
} from "./frame";
import { type Move, moveCursor, type MoveCursorDependencies } from "./moveCursor";
import { parseResume } from "./parseFrame";
import { type SendDependencies, sendMessages } from "./sendMessages";

/** `now` and `log` are by default the clock and the console. */
export type ResumeDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends FrameDependencies, SendDependencies, MoveCursorDependencies {
  sessions: Pick<SessionStore, "read">;
  connections: Pick<ConnectionsClient, "post" | "isGone">;
  history: SendDependencies["history"] & MoveCursorDependencies["history"] & Pick<History, "readCursor" | "settle">;
  /** Within how many seconds clients are to acknowledge; undefined if an acknowledgement with the next resume will do. */
  ackSeconds?: number;
}

/**
 * If the stored lower bound is further than this from the oldest available number, it is updated: a search would cost more than
 * the write.
 */
const MAX_STALE_NUMBERS = 100;

/**
 * Called for the route `resume`: sends hello, the result and the messages after the client's cursor, in order, and
 * acknowledges those up to the cursor. A failure on the way ends it, and the client asks again.
 */
export function resume(given: ResumeDependencies): FrameHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const handle = (frame: ClientFrame<Resume>) => answer(frame, dependencies);
  return frameHandler({ action: "resume", parse: parseResume, handle }, dependencies);
}

/** `resume` as the component deploys it. */
export function resumeFromEnvironment(environment: Environment): FrameHandler {
  const client = tableClient();
  const tableName = text(environment, "TABLE_NAME");
  return resume({
    sessions: new DynamoDbSessionRows(client, { tableName }),
    lookups: new DynamoDbConnectionLookups(client, { tableName }),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    ackSeconds: environment.ACK_SECONDS === undefined ? undefined : positiveInteger(environment, "ACK_SECONDS"),
    connections: connectionsFromEnvironment(environment),
    deadLetters: deadLetterQueueFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

async function answer(frame: ClientFrame<Resume>, dependencies: Dependencies): Promise<void> {
  const { action, key, fields, signal } = frame;
  const { sessions, ackSeconds, metrics, log } = dependencies;
  const { cursor, after } = action;
  const [row, ends] = await Promise.all([
    sessions.read(key, signal),
    readEnds(key, cursor && { ...cursor, seq: arrivedOf(cursor, after) }, dependencies, signal),
  ]);
  if (!(await hasSession(row, frame, dependencies))) return;

  const read = await readLog(key, action, ends, dependencies, signal);
  const { available, done } = read;
  const { epoch, newest } = available;
  const start = startOf(action, available, done.acknowledged);
  const { first, lost, seen, oldest, segments } = await firstPageOf(start, read, key, dependencies, signal);

  const move = moveOf(frame, lost, read);
  const skipped = { from: Math.max(seen, seqIn(epoch, done.settled)) + 1, through: first - 1 };
  // Before the client can acknowledge what comes after them.
  const hasMoved = await reportSkipped(skipped, { key, done, presentEpoch: epoch, signal }, move, dependencies);

  const through = throughOf(entriesBetween(segments, first, newest), first, newest);
  const hello: Hello = {
    type: "hello",
    ...(epoch !== undefined && { epoch }),
    oldest,
    newest,
    ...(ackSeconds !== undefined && { ackSeconds }),
  };
  const resumed: Resumed = { type: "resumed", recovered: lost === undefined, ...(lost && { lost }), first, through };
  const result = lost ?? "recovered";
  metrics.add(METRICS.resumed, 1, result);
  const sent = await sendMessages(
    { ...frame, done, presentEpoch: epoch, before: [hello, resumed], segments, first, through },
    dependencies,
  );
  log.info("resumed", { ...fields, result, first, through, newest, sent });
  const bound = oldest - done.oldestSeq > MAX_STALE_NUMBERS ? oldest : undefined;
  await rememberPosition(frame, hasMoved ? undefined : move, bound, dependencies);
}

/** Whether this is a live connection of the session; if not, tells the client that it is superseded, must reconnect or ask again. */
async function hasSession(
  row: SessionRow | undefined,
  { connectionId, fields, signal }: ClientFrame<Resume>,
  dependencies: Dependencies,
): Promise<boolean> {
  const live = row ? liveConnections(row) : [];
  const session = live.find((each) => each.connectionId === connectionId);
  const { connections, now, log } = dependencies;
  const [newest] = live;
  // Only if another one has the session: a connection that is the last to know of it had better reconnect. That one may have
  // ended unnoticed, and until its handshake is over it is "gone" as well: if that fails, this one has the session again.
  if (!session && newest) {
    if (!(await connections.isGone(newest.connectionId, signal))) {
      const notice: Superseded = { type: "superseded" };
      log.info("superseded", fields);
      await posted(connectionId, JSON.stringify(notice), fields, dependencies);
      return false;
    }
    if (now() - newest.connectedAt < YOUNG_CONNECTION_MS) {
      log.info("superseded by a connection that is not open yet", fields);
      await tellUnavailable(connectionId, "resume", fields, dependencies);
      return false;
    }
  }
  // A connection that has no right to the session's messages must not get the missed ones either.
  const reason = session ? reasonToEnd(session, { subprotocols: [SUBPROTOCOLS.v1], now }) : REASONS.noSession;
  if (reason === undefined) return true;
  const message = "the session has ended: open another connection";
  const error = { code: "no-session", message, action: "resume" } as const;
  await refuse(connectionId, error, { ...fields, reason }, dependencies);
  return false;
}

/** The acknowledgement that the client's cursor is; undefined if it is not valid, or moves nothing. */
function moveOf(
  { action: { cursor }, key, fields, signal }: ClientFrame<Resume>,
  lost: Resumed["lost"],
  { available, done, known }: ReadLog,
): Move | undefined {
  if (!cursor || lost === "epoch" || lost === "ahead") return undefined;
  if (cursor.seq <= seqIn(available.epoch, done.acknowledged)) return undefined;
  return { key, cursor, done, known, fields, signal };
}

/**
 * Reports the messages that the client skips because they have expired: it will acknowledge later ones, which covers these.
 *
 * @returns whether the client's cursor had to be acknowledged for that.
 * @throws if a report may not have arrived, or the history fails.
 */
async function reportSkipped(
  skipped: { from: number; through: number },
  unseen: Omit<Unseen, "entries">,
  move: Move | undefined,
  dependencies: Dependencies,
): Promise<boolean> {
  const { key, done, presentEpoch = "", signal } = unseen;
  const { history } = dependencies;
  let hasMoved = false;
  for await (const segments of readRange(history, key, skipped, signal)) {
    const entries = entriesBetween(segments, skipped.from, skipped.through);
    const last = entries.at(-1);
    if (!last || entries.every((entry) => isDone(entry, done, presentEpoch))) continue;
    // `settled` will cover what the client has seen, too, and nothing that is settled gets a receipt later.
    if (move && !hasMoved) await moveCursor(move, dependencies);
    hasMoved = true;
    await reportUnseen({ ...unseen, entries }, dependencies);
    await history.settle(key, { settled: { epoch: presentEpoch, seq: last.seq } }, signal);
  }
  return hasMoved;
}

/** After the answer: acknowledges the client's cursor, and stores the oldest number if the stored bound is far from it. */
async function rememberPosition(
  { key, connectionId, fields, signal }: ClientFrame<Resume>,
  move: Move | undefined,
  oldestSeq: number | undefined,
  dependencies: Dependencies,
): Promise<void> {
  const { history, receipts, log } = dependencies;
  try {
    // While the messages were sent, others may have been reported as expired: these get no receipt.
    const isStale = move !== undefined && receipts.wanted;
    const latest = isStale ? { ...move, done: await history.readCursor(key, signal), known: [] } : move;
    if (latest) await moveCursor(latest, dependencies);
    if (oldestSeq !== undefined) await history.settle(key, { oldestSeq }, signal);
  } catch (error) {
    log.warn("cursor not moved", { ...fields, ...errorFields(error) });
    // The client takes its cursor for acknowledged, unless it is told.
    if (move) await tellUnavailable(connectionId, "ack", fields, dependencies);
  }
}
