import type { SQSRecord } from "aws-lambda";
import { deliver } from "../../../handlers/deliver/deliver";
import type { DeliverHandler } from "../../../handlers/deliver/deliverHandler";
import type { Session } from "../../../handlers/sessions/sessionItems";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import { MemoryConnections, MemoryQueue, MemorySessions, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { MemoryPartialDeliveries } from "../../support/memoryPartialDeliveries";
import { sqsEvent } from "../../support/events";

/** What `deliver` takes for the time, unless a test sets its clock. */
export const now = 1_700_000_000_000;

/** The session that records of `sqsRecord` go to. */
export const row: Session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: now - 60_000,
  expirationDate: now / 1000 + 1,
};

/** The connection that the session's client has opened since. */
export const reconnected: Session = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 };

/** `deliver` with `row` in its table. */
export function setUp(remainingMs = 30_000, connectionsOfSession: Connections = "newest") {
  const memory = { ...inMemory(row), connectionsOfSession };
  return {
    ...memory,
    ...played(deliver(memory), memory, remainingMs),
    /** What became of each message, by the queue's id. */
    outcomes: () =>
      Object.fromEntries(
        memory.log.lines
          .filter(({ event }) => ["delivered", "failed", "undeliverable", "not-reached"].includes(event))
          .map(({ event, sqsMessageId, reason }) => [sqsMessageId, reason ?? event]),
      ),
  };
}

/**
 * What `deliver` needs in either delivery mode, with one session in its table, at most five attempts, and a back-off of 2 to
 * 120 s without its random half.
 */
export function inMemory(session: Session) {
  const sessions = new MemorySessions();
  sessions.put(session);
  const clock = { now };
  return {
    sessions,
    connections: new MemoryConnections(),
    partials: new MemoryPartialDeliveries(),
    connectionsOfSession: "newest" as Connections,
    queue: new MemoryQueue(),
    log: new RecordedLog(),
    metrics: new RecordedMetrics(),
    clock,
    now: () => clock.now,
    random: () => 0,
    maxAttempts: 5,
    backoff: { minSeconds: 2, maxSeconds: 120 },
  };
}

/** What a test calls and reads in either delivery mode. */
export function played(
  handle: DeliverHandler,
  { sessions, queue }: Pick<ReturnType<typeof inMemory>, "sessions" | "queue">,
  remainingMs: number,
) {
  return {
    rows: () => [...sessions.rows.values()],
    /** The ids of the messages that are reported as failed. */
    run: async (...records: SQSRecord[]) => {
      const answer = await handle(sqsEvent(...records), { getRemainingTimeInMillis: () => remainingMs });
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    reasons: () => queue.deadLetters.map(({ attributes }) => attributes.reason?.stringValue),
  };
}

/** The change of visibility of a message without an id of its publisher's. */
export function backoffOf(sqsMessageId: string, visibilityTimeoutSeconds: number) {
  return {
    messageId: sqsMessageId,
    sqsMessageId,
    receiptHandle: `receipt-${sqsMessageId}`,
    visibilityTimeoutSeconds,
  };
}
