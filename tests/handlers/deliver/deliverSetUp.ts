import type { SQSRecord } from "aws-lambda";
import { deliver } from "../../../handlers/deliver/deliver";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { MemoryConnections, MemoryQueue, MemorySessions, RecordedLog, RecordedMetrics } from "../../support/boundaries";
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

/** `deliver` with `row` in its table, at most five attempts, and a back-off of 2 to 120 s without its random half. */
export function setUp(remainingMs = 30_000) {
  const sessions = new MemorySessions();
  const connections = new MemoryConnections();
  const queue = new MemoryQueue();
  const log = new RecordedLog();
  const metrics = new RecordedMetrics();
  const clock = { now };
  sessions.put(row);
  const handle = deliver({
    ...{ sessions, connections, queue, log, metrics, now: () => clock.now, random: () => 0 },
    ...{ maxAttempts: 5, backoff: { minSeconds: 2, maxSeconds: 120 } },
  });
  return {
    ...{ sessions, connections, queue, log, metrics, clock },
    rows: () => [...sessions.rows.values()],
    /** The ids of the messages that are reported as failed. */
    run: async (...records: SQSRecord[]) => {
      const answer = await handle(sqsEvent(...records), { getRemainingTimeInMillis: () => remainingMs });
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    /** What became of each message, by the queue's id. */
    outcomes: () =>
      Object.fromEntries(
        log.lines
          .filter(({ event }) => ["delivered", "failed", "undeliverable", "not-reached"].includes(event))
          .map(({ event, sqsMessageId, reason }) => [sqsMessageId, reason ?? event]),
      ),
    reasons: () => queue.deadLetters.map(({ attributes }) => attributes.reason?.stringValue),
  };
}

/** The change of visibility of a message without an id of its publisher's. */
export function backoffOf(sqsMessageId: string, visibilityTimeoutSeconds: number) {
  return {
    ...{ messageId: sqsMessageId, sqsMessageId, receiptHandle: `receipt-${sqsMessageId}` },
    visibilityTimeoutSeconds,
  };
}
