import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { Invocation } from "../handlers/deliver/deliver";
import { sqsEvent, sqsRecord } from "../tests/support/events";
import { answer } from "./childProcess";

/**
 * Delivers `messages` messages to users 0 to `users` - 1 in turn.
 * - `deliver`: with the bundle at BUNDLE, in batches of `batchSize`, `parallel` invocations at a time
 * - `bare`: with the SDK only, `parallel` requests at a time
 */
export interface WorkerRequest {
  run: "deliver" | "bare";
  messages: number;
  users: number;
  batchSize: number;
  parallel: number;
}

export interface WorkerAnswer {
  ms: number;
  /** CPU time of this process only. */
  cpuMs: number;
}

/** About 200 bytes of JSON, the size of a chat message. */
const body = JSON.stringify({ type: "message", text: "x".repeat(170) });

const { handler } = require(process.env.BUNDLE ?? "") as {
  handler: (event: SQSEvent, invocation: Invocation) => Promise<SQSBatchResponse>;
};

// As in handlers/connections/connectionsClient.ts.
const client = new ApiGatewayManagementApiClient({
  endpoint: process.env.MANAGEMENT_ENDPOINT,
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
});

answer<WorkerRequest, WorkerAnswer>(async (request) => {
  const jobs = request.run === "deliver" ? invocations(request) : posts(request);
  const [start, startCpu] = [performance.now(), process.cpuUsage()];
  const queue = jobs.values();
  const lane = async () => {
    for (const job of queue) await job();
  };
  await Promise.all(Array.from({ length: request.parallel }, lane));
  const { user, system } = process.cpuUsage(startCpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000 };
});

/** Makes every messageId unique: otherwise a message would count as a repeated delivery. */
let sent = 0;

function invocations({ messages, users, batchSize }: WorkerRequest): (() => Promise<void>)[] {
  const records = Array.from({ length: messages }, (_, index) =>
    sqsRecord({ messageId: `m${++sent}`, body, attributes: { user: String(index % users) } }),
  );
  const jobs: (() => Promise<void>)[] = [];
  for (let i = 0; i < messages; i += batchSize) {
    const event = sqsEvent(...records.slice(i, i + batchSize));
    jobs.push(async () => {
      const { batchItemFailures } = await handler(event, { getRemainingTimeInMillis: () => 30_000 });
      if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} messages were not delivered`);
    });
  }
  return jobs;
}

function posts({ messages, users }: WorkerRequest): (() => Promise<void>)[] {
  return Array.from({ length: messages }, (_, index) => async () => {
    const ConnectionId = `connection-${index % users}`;
    await client.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(body) }));
  });
}
