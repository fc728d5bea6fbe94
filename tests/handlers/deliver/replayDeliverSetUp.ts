import type { SQSRecord } from "aws-lambda";
import { deliverReplay } from "../../../handlers/deliver/replayDeliver";
import type { Receipt } from "../../../protocol";
import { envelopesIn, receipt } from "../../protocol/schemas";
import { MemoryConnections, MemoryQueue, MemorySessions, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { row as rawRow } from "./deliverSetUp";
import { sqsEvent } from "../../support/events";
import { key, now } from "../history/entries";
import { MemoryHistory } from "../history/memoryHistory";

/** The session that records of `sqsRecord` go to. */
export const row = { ...rawRow, subprotocol: "websocket-relay.v1" };

export const retentionMs = 3_600_000;

/** `deliver` where messages are replayed, with `row` in its table, at most five attempts, and a back-off without its random half. */
export function setUp(remainingMs = 30_000, { deadLetterExpired = false } = {}) {
  const sessions = new MemorySessions();
  const connections = new MemoryConnections();
  const queue = new MemoryQueue();
  const history = new MemoryHistory(retentionMs);
  const log = new RecordedLog();
  const metrics = new RecordedMetrics();
  const clock = { now };
  const published: Receipt[] = [];
  const receipts = {
    wanted: true,
    fails: false,
    publish: (given: readonly Receipt[]) => {
      if (receipts.fails) return Promise.reject(new Error("publish fails"));
      published.push(...given.map(receipt));
      return Promise.resolve();
    },
  };
  sessions.put(row);
  const handle = deliverReplay({
    ...{ sessions, connections, queue, history, receipts, log, metrics, retentionMs },
    deadLetters: deadLetterExpired ? queue : undefined,
    ...{ now: () => clock.now, random: () => 0, newEpoch: () => "e1" },
    ...{ maxAttempts: 5, backoff: { minSeconds: 2, maxSeconds: 120 } },
  });
  return {
    ...{ sessions, connections, queue, history, log, metrics, clock, receipts, published },
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
          .filter(({ event }) => ["delivered", "stored", "failed", "undeliverable", "not-reached"].includes(event))
          .map(({ event, sqsMessageId, reason }) => [sqsMessageId, reason ? `${event}: ${String(reason)}` : event]),
      ),
    /** What stands in the history of `row`'s session. */
    stored: (of = key) => history.entries(of).map(({ seq, messageId }) => `${seq} ${messageId}`),
    /** To which connection which numbers were posted, frame by frame. */
    posted: () =>
      connections.posts.map(({ connectionId, body }) => {
        const seqs = envelopesIn(body).map((envelope) => (envelope.type === "message" ? envelope.seq : undefined));
        return `${connectionId}: ${seqs.join()}`;
      }),
    /** Of everything that was posted, in order. */
    envelopes: () => connections.posts.flatMap(({ body }) => envelopesIn(body)),
    reasons: () => queue.deadLetters.map(({ attributes }) => attributes.reason?.stringValue),
  };
}
