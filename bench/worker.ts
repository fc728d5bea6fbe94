import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import pLimit from "p-limit";
import { SUBPROTOCOLS } from "../protocol";
import { connectEvent, sqsEvent, sqsRecord } from "../tests/support/events";
import { bodyOf } from "./bodies";
import { answer } from "./childProcess";
import type { Mode } from "./deployed";

/**
 * Delivers `messages` messages to users 0 to `users` - 1 in turn.
 * - `deliver`: with the bundle at BUNDLE, in batches of `batchSize`, `parallel` invocations at a time
 * - `bare`: with the SDK only, `parallel` requests at a time
 * - `connect`: connects the users with the bundle at BUNDLE; in replay mode, the last `rawPerUser` connections of each as raw clients
 */
export type WorkerRequest =
  | { run: "deliver" | "bare"; messages: number; users: number; batchSize: number; parallel: number }
  | { run: "connect"; users: number; connectionsPerUser: number; rawPerUser: number; mode: Mode; tokenUrl: string };
type Sending = Exclude<WorkerRequest, { run: "connect" }>;

export interface WorkerAnswer {
  ms: number;
  /** CPU time of this process only. */
  cpuMs: number;
}

const { handler } = require(process.env.BUNDLE ?? "") as {
  handler: (event: object, invocation: { getRemainingTimeInMillis(): number }) => Promise<object>;
};
const invocation = { getRemainingTimeInMillis: () => 30_000 };

// As in handlers/connections/connectionsClient.ts.
const client = new ApiGatewayManagementApiClient({
  endpoint: process.env.MANAGEMENT_ENDPOINT,
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
});

answer<WorkerRequest, WorkerAnswer>(async (request) => {
  if (request.run === "connect") return connect(request);
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

function invocations({ messages, users, batchSize }: Sending): (() => Promise<void>)[] {
  const records = Array.from({ length: messages }, (_, index) =>
    sqsRecord({
      messageId: `m${++sent}`,
      body: bodyOf(index),
      sentAtMs: Date.now(),
      attributes: { user: String(index % users) },
    }),
  );
  const jobs: (() => Promise<void>)[] = [];
  for (let i = 0; i < messages; i += batchSize) {
    const event: SQSEvent = sqsEvent(...records.slice(i, i + batchSize));
    jobs.push(async () => {
      const { batchItemFailures } = (await handler(event, invocation)) as SQSBatchResponse;
      if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} messages were not delivered`);
    });
  }
  return jobs;
}

function posts({ messages, users }: Sending): (() => Promise<void>)[] {
  return Array.from({ length: messages }, (_, index) => async () => {
    const ConnectionId = `connection-${index % users}`;
    await client.send(new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(bodyOf(index)) }));
  });
}

async function connect(request: Extract<WorkerRequest, { run: "connect" }>): Promise<WorkerAnswer> {
  const { users, connectionsPerUser, rawPerUser, mode, tokenUrl } = request;
  const limit = pLimit(10);
  const speaksProtocol = (n: number) => mode === "replay" && n < connectionsPerUser - rawPerUser;
  await limit.map(Array.from({ length: users }).keys(), async (user) => {
    const token = await (await fetch(`${tokenUrl}?user=${user}`)).text();
    for (let n = 0; n < connectionsPerUser; n++) {
      const subprotocol: Record<string, string> = speaksProtocol(n)
        ? { "Sec-WebSocket-Protocol": SUBPROTOCOLS.v1 }
        : {};
      const event = connectEvent({
        headers: { Authorization: `Bearer ${token}`, ...subprotocol },
        connectionId: n === 0 ? `connection-${user}` : `connection-${user}-${n}`,
        connectedAt: Date.now(),
      });
      const { statusCode } = (await handler(event, invocation)) as { statusCode?: number };
      if (statusCode !== 200) throw new Error(`user ${user} was not connected: ${statusCode}`);
    }
  });
  return { ms: 0, cpuMs: 0 };
}
