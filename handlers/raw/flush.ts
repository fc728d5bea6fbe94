import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { closeIfGone } from "../connections/closeIfGone";
import {
  type ConnectionsClient,
  connectionsFromEnvironment,
  YOUNG_CONNECTION_MS,
} from "../connections/connectionsClient";
import { type Environment, text } from "../environment";
import { historyFromEnvironment, retentionMsFromEnvironment } from "../history/dynamoDbHistory";
import { NEWEST } from "../history/readRange";
import { lastSeqOf } from "../history/segment";
import { consoleLog, errorFields, type Log } from "../log";
import { REASONS, stableReason } from "../messages/reasons";
import { METRICS, metricsFromEnvironment } from "../metrics";
import { deadLetterQueueFromEnvironment, flushQueueFromEnvironment, type MessageQueue } from "../queue/queue";
import { receiptsFromEnvironment } from "../receipts/snsReceipts";
import type { Session } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import { DynamoDbSessionRows } from "../sessions/sessionRows";
import { tableClient } from "../tableClient";
import { timeLimit } from "../timeLimit";
import { type FlushRequest, parseFlushRequest } from "./flushRequests";
import { othersBefore } from "./rawLine";
import { postMissed, type RawPosterDependencies } from "./rawPoster";

/** `now` and `log` are by default the clock and the console. */
export type FlushDependencies = Omit<Dependencies, "now" | "log"> & Partial<Pick<Dependencies, "now" | "log">>;

interface Dependencies extends RawPosterDependencies {
  now: () => number;
  log: Log;
  connections: ConnectionsClient;
  /** The queue of the requests. */
  queue: Pick<MessageQueue, "changeVisibility">;
}

export type FlushHandler = (
  event: SQSEvent,
  invocation: { getRemainingTimeInMillis(): number },
) => Promise<SQSBatchResponse>;

/** Reserved at the end of the function's time: for the end of a turn, then for changing visibility. */
const ENDING_MS = 7_000;
const ANSWERING_MS = 500;

/** Receives of a request before it is given up. The next message or the next connection sends what is missing. */
export const MAX_FLUSH_RECEIVES = 10;

/** The longest wait before a request is received again, in seconds; the first one is one second. */
const LONGEST_WAIT_SECONDS = 5;

/**
 * Called with requests for the messages that raw clients have missed: posts these to each client, unless another connection has
 * got them. Keeps the requests that could not be met yet. Never throws.
 */
export function flush(given: FlushDependencies): FlushHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const { queue, metrics } = dependencies;

  return async function flushHandler({ Records }, invocation) {
    const remainingMs = invocation.getRemainingTimeInMillis();
    const posting = timeLimit(remainingMs - ENDING_MS);
    const answering = timeLimit(remainingMs - ANSWERING_MS);
    try {
      const handled = await Promise.all(
        Records.map(async (record) => ((await isDone(record, dependencies, posting)) ? [] : [record])),
      );
      const failed = handled.flat();
      const later = failed.map((record) => ({
        messageId: record.messageId,
        sqsMessageId: record.messageId,
        receiptHandle: record.receiptHandle,
        visibilityTimeoutSeconds: Math.min(receivesOf(record), LONGEST_WAIT_SECONDS),
      }));
      if (later.length > 0) await queue.changeVisibility(later, answering);
      return { batchItemFailures: failed.map(({ messageId: itemIdentifier }) => ({ itemIdentifier })) };
    } finally {
      metrics.flush();
    }
  };
}

/** `flush` as the component deploys it. */
export function flushFromEnvironment(environment: Environment): FlushHandler {
  return flush({
    sessions: new DynamoDbSessionRows(tableClient(), { tableName: text(environment, "TABLE_NAME") }),
    history: historyFromEnvironment(environment),
    retentionMs: retentionMsFromEnvironment(environment),
    connections: connectionsFromEnvironment(environment),
    queue: flushQueueFromEnvironment(environment),
    deadLetters: deadLetterQueueFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

/** Whether the request needs no further attempt. */
async function isDone(record: SQSRecord, dependencies: Dependencies, signal: AbortSignal): Promise<boolean> {
  const { log } = dependencies;
  const request = parseFlushRequest(record.body);
  if (!request) {
    log.warn("not a request of connect: deleted", { sqsMessageId: record.messageId });
    return true;
  }
  const attempt = receivesOf(record);
  const fields = { ...request, attempt };
  let reason: string | undefined;
  try {
    reason = await flushOne(request, dependencies, signal);
  } catch (error) {
    reason = signal.aborted ? REASONS.timeout : REASONS.internalError;
    log.error("missed messages not sent", { ...fields, ...errorFields(error) });
  }
  if (reason === undefined) return true;
  if (attempt < MAX_FLUSH_RECEIVES) {
    log.info("missed messages not sent yet: will be retried", { ...fields, reason });
    return false;
  }
  log.warn("missed messages not sent: the next message or connection sends them", { ...fields, reason });
  return true;
}

/** Sends what the connection has missed. Returns the reason why something is left, if it is. */
async function flushOne(
  { callerId, context, connectionId }: FlushRequest,
  dependencies: Dependencies,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { sessions, history, metrics, log } = dependencies;
  const fields = { callerId, context, connectionId };
  // Before the row is read: what is stored later is posted by `deliver`, which knows the connections that have begun meanwhile.
  const [tail] = await history.readBack({ callerId, context }, NEWEST, 1, signal);
  const upTo = { epoch: tail?.epoch, through: tail ? lastSeqOf(tail) : 0 };
  const row = await sessions.read({ callerId, context }, signal);
  const live = row ? liveConnections(row) : [];
  const own = live.find((each) => each.connectionId === connectionId);
  if (!row || !own || own.subprotocol !== undefined) {
    log.info("no missed messages sent: the connection is not one of the session's raw connections", fields);
    return undefined;
  }
  const gone = new Set<string>();
  for (const other of othersBefore(own, live)) {
    if (!(await isGone(other, dependencies, signal))) {
      log.info("no missed messages sent: another connection is open", { ...fields, other: other.connectionId });
      return undefined;
    }
    gone.add(other.connectionId);
  }
  const connections = row.connections.filter((each) => !gone.has(each.connectionId));
  // To the others, too: the session's cursor moves for all of its raw clients.
  const raw = live.filter((each) => each.subprotocol === undefined && !gone.has(each.connectionId));
  const { lines, reason } = await postMissed({ ...row, connections }, raw, upTo, dependencies, signal);
  const messages = lines.reduce((sum, { acceptedCount }) => sum + acceptedCount, 0);
  if (messages > 0) metrics.add(METRICS.flushed, messages);
  log.info("missed messages sent", {
    ...fields,
    messages,
    ...(reason !== undefined && { reason: stableReason(reason) }),
  });
  return reason;
}

/**
 * Whether the other connection gets nothing old. One that is gone is removed from its session: its `$disconnect` was lost. A young
 * one may be just opening, and stays; but if it is raw, its handshake may as well have failed before it asked for anything.
 */
async function isGone(other: Session, dependencies: Dependencies, signal: AbortSignal): Promise<boolean> {
  const { connections, sessions, now, log } = dependencies;
  const { callerId, context, connectionId, connectedAt, subprotocol } = other;
  if (now() - connectedAt < YOUNG_CONNECTION_MS) {
    // A client that speaks the protocol asks for everything itself once it is open.
    return subprotocol === undefined && (await connections.isGone(connectionId, signal));
  }
  const fields = { callerId, context, connectionId };
  if (!(await closeIfGone(other, fields, dependencies, signal))) return false;
  await sessions.removeConnection(other, connectionId, signal);
  log.info("removed a connection that is gone", fields);
  return true;
}

function receivesOf({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}
