import type { Delivery } from "./delivery";
import type { Mode } from "./deployed";
import { rounded } from "./median";

export interface CallsMeasurement {
  batchSize: number;
  usersPerBatch: number;
  messages: number;
  /** Requests to tables, gateway and SQS, by operation. */
  requests: Record<string, number>;
  callsBesidePostPerMessage: number;
}

export interface ReplayCallsMeasurement extends CallsMeasurement {
  /** Messages of one session are sent together. */
  posts: number;
  /** Requests to the history: a session's messages of a batch are written together, and the log's end is read. */
  historyWritesPerMessage: number;
  historyReadsPerMessage: number;
}

const POST = "POST /live/@connections";

/**
 * AWS calls of the deployed deliver bundle per message, with every client connected. The calls of the event source mapping
 * (receive, delete) are Lambda's own and not counted. There are no retries, because nothing fails here.
 */
export async function measureCalls(delivery: Delivery, batches: number): Promise<CallsMeasurement[]> {
  return measureBatches(delivery, "retry", batches, [
    [10, 10],
    [10, 1],
    [1, 1],
  ]);
}

/** The same for the bundle of replay mode, which stores each message before it posts it. */
export async function measureReplayCalls(delivery: Delivery, batches: number): Promise<ReplayCallsMeasurement[]> {
  const measured = await measureBatches(delivery, "replay", batches, [
    [10, 10],
    [10, 5],
    [10, 1],
    [1, 1],
  ]);
  return measured.map((measurement) => {
    const { messages, requests } = measurement;
    const perMessage = (...operations: string[]) =>
      rounded(operations.reduce((sum, operation) => sum + (requests[operation] ?? 0), 0) / messages);
    return {
      ...measurement,
      posts: requests[POST] ?? 0,
      // Sessions are read only by BatchGetItem, and not written here.
      historyWritesPerMessage: perMessage("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
      historyReadsPerMessage: perMessage("Query", "GetItem"),
    };
  });
}

async function measureBatches(
  delivery: Delivery,
  mode: Mode,
  batches: number,
  cases: [batchSize: number, usersPerBatch: number][],
): Promise<CallsMeasurement[]> {
  const measured: CallsMeasurement[] = [];
  for (const [batchSize, usersPerBatch] of cases) {
    const messages = batchSize * batches;
    // The first message of a session also asks whether its log was always empty.
    await delivery.run({ run: "deliver", messages: batchSize, users: usersPerBatch, batchSize, parallel: 1 });
    await delivery.counts();
    await delivery.run({ run: "deliver", messages, users: usersPerBatch, batchSize, parallel: 1 });
    const requests = await delivery.counts();
    const posts = requests[POST] ?? 0;
    const expected = mode === "retry" ? messages : usersPerBatch * batches;
    if (posts !== expected) throw new Error(`${messages} messages made ${posts} POSTs: ${JSON.stringify(requests)}`);
    const all = Object.values(requests).reduce((sum, count) => sum + count, 0);
    const callsBesidePostPerMessage = rounded((all - posts) / messages);
    measured.push({ batchSize, usersPerBatch, messages, requests, callsBesidePostPerMessage });
  }
  console.error(`bench: counted the calls of deliver, ${mode}`);
  return measured;
}
