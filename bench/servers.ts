import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import dynalite = require("dynalite");
import { answer } from "./childProcess";
import { tableStub } from "./tableStub";

/** `start` returns `{ endpoint }`; `counts` returns the requests since the last `counts`, by operation. */
export type ServerRequest = { start: "table" } | { start: "gateway" | "stub"; answerMs: number } | { counts: true };
export type ServerAnswer = { endpoint: string; counts: Record<string, number> };

const counts = new Map<string, number>();
let endpoint = "";

answer<ServerRequest, ServerAnswer>(async (request) => {
  if ("start" in request) {
    const server = started(request);
    server.prependListener("request", (received: IncomingMessage) => {
      const operation = operationOf(received);
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const counted = Object.fromEntries(counts);
  counts.clear();
  return { endpoint, counts: counted };
});

function started(request: Extract<ServerRequest, { start: string }>): Server {
  if (request.start === "table") return table();
  return request.start === "stub" ? tableStub(request.answerMs) : gateway(request.answerMs);
}

function table(): Server {
  return dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
}

/** A minimal management API: every connection is open, and every request is accepted after the same time. And a minimal SQS. */
function gateway(answerMs: number): Server {
  const server = createServer((request, response) => {
    if (operationOf(request) === "SendMessage") {
      answerSendMessage(request, response).catch(() => response.destroy());
      return;
    }
    request.resume();
    request.once("end", () => {
      if (answerMs === 0) accept(response);
      else setTimeout(() => accept(response), answerMs);
    });
  });
  // An idle keep-alive connection must not close between two rounds.
  server.keepAliveTimeout = 60_000;
  return server;
}

function accept(response: ServerResponse): void {
  response.writeHead(200, {
    "content-type": "application/json",
    "x-amzn-requestid": "00000000-0000-4000-8000-000000000000",
    "content-length": 0,
  });
  response.end();
}

/** The SDK compares the hash with that of the body. */
async function answerSendMessage(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { MessageBody } = (await json(request)) as { MessageBody: string };
  const MD5OfMessageBody = createHash("md5").update(MessageBody).digest("hex");
  response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
  response.end(JSON.stringify({ MessageId: "sent", MD5OfMessageBody }));
}

/** DynamoDB and SQS name the operation in a header, the management API by its method and path. */
function operationOf({ method, url, headers }: IncomingMessage): string {
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.split(".").at(-1) ?? target;
  return `${method} ${(url ?? "").split("/").slice(0, -1).join("/")}`;
}
