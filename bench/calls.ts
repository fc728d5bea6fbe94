import type { Delivery } from "./delivery";
import { rounded } from "./median";

export interface CallsMeasurement {
  batchSize: number;
  usersPerBatch: number;
  messages: number;
  /** Requests that table, gateway and SQS received, by operation. */
  requests: Record<string, number>;
  callsBesidePostPerMessage: number;
}

const POST = "POST /live/@connections";

/**
 * AWS calls of the deployed deliver bundle per message, where every client is there. What the event source mapping calls
 * (receive, delete) is Lambda's own doing and not counted; nor are retries, since nothing fails here.
 */
export async function measureCalls(delivery: Delivery, batches: number): Promise<CallsMeasurement[]> {
  const measured: CallsMeasurement[] = [];
  for (const [batchSize, usersPerBatch] of [
    [10, 10],
    [10, 1],
    [1, 1],
  ] as const) {
    const messages = batchSize * batches;
    await delivery.counts();
    await delivery.run({ run: "deliver", messages, users: usersPerBatch, batchSize, parallel: 1 });
    const requests = await delivery.counts();
    const posts = requests[POST] ?? 0;
    if (posts !== messages) throw new Error(`${messages} messages made ${posts} POSTs: ${JSON.stringify(requests)}`);
    const all = Object.values(requests).reduce((sum, count) => sum + count, 0);
    const callsBesidePostPerMessage = rounded((all - posts) / messages);
    measured.push({ batchSize, usersPerBatch, messages, requests, callsBesidePostPerMessage });
  }
  console.error("bench: counted the calls of deliver");
  return measured;
}
