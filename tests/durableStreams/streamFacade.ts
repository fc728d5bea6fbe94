import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { queryAuthenticator } from "../../handlers/connect/auth/queryAuthenticator";
import { append } from "../../handlers/history/append";
import type { HttpAnswer } from "../../handlers/read/httpEvent";
import { offsetOf, type Position } from "../../handlers/read/offset";
import { read } from "../../handlers/read/read";
import { sessionKey } from "../../handlers/sessions/sessionKey";
import type { MessageEnvelope } from "../../protocol";
import { RecordedLog, RecordedMetrics } from "../support/boundaries";
import { httpEvent, invocation } from "../support/events";
import { MemoryTable } from "../support/memoryTable";
import { dynamoDbHistory } from "../support/realTables";

const retentionMs = 3_600_000;
const [user, context] = ["suite", "stream"];

/** Messages are small enough whatever they are escaped to. */
const MAX_PIECE_BYTES = 15_000;
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * What the conformance suite needs and the relay does not have: streams of any content type, created and appended to by HTTP. A
 * stream is a session, and what is appended are its messages, which are stored as `deliver` stores them. Reads go to the function
 * as they are; of its answers, only the envelopes are unwrapped, since the suite compares bytes.
 */
export async function startFacade(): Promise<{ url: string; close: () => Promise<void> }> {
  const { history, close } = await dynamoDbHistory(retentionMs);
  const [log, metrics] = [new RecordedLog(), new RecordedMetrics()];
  const tables = { userConnections: new MemoryTable(), history, retentionMs };
  const readSession = read({ ...tables, authenticator: queryAuthenticator, allowedOrigins: null, log, metrics });
  /** By path. */
  const contentTypes = new Map<string, string>();

  const ask = async (path: string, method: string, query = "", headers: IncomingMessage["headers"] = {}) => {
    const session = new URLSearchParams({ context, contextId: path, user }).toString();
    const single = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    const given = { method, query: query === "" ? session : `${session}&${query}` };
    return await readSession(
      httpEvent({ ...given, headers: Object.fromEntries(single) as Record<string, string> }),
      invocation(),
    );
  };

  const store = async (path: string, bodies: readonly string[]): Promise<string> => {
    const key = sessionKey(user, context, path).value;
    if (!key) throw new Error(`${path} is no contextId`);
    const nowMs = Date.now();
    let last: Position | undefined;
    for (const body of bodies) {
      const message = { stored: { id: randomUUID(), body }, sentAtMs: nowMs, copySinceMs: nowMs };
      const dependencies = { history, retentionMs, generation: 0, now: Date.now, random: Math.random };
      const appended = await append(key, [message], dependencies, AbortSignal.timeout(20_000));
      last = appended.get(message)?.entry;
    }
    return last ? offsetOf(last) : ((await ask(path, "HEAD")).headers["Stream-Next-Offset"] ?? "");
  };

  const write = async (path: string, request: IncomingMessage): Promise<HttpAnswer> => {
    const isNew = !contentTypes.has(path);
    const contentType = contentTypes.get(path) ?? request.headers["content-type"] ?? "application/octet-stream";
    if (request.method === "POST" && isNew) return written(404);
    const body = await buffer(request);
    if (body.length > MAX_BODY_BYTES) return written(413);
    if (request.method === "POST" && body.length === 0) return written(400);
    let bodies: string[];
    try {
      bodies = bodiesOf(body, contentType);
    } catch {
      return written(400);
    }
    contentTypes.set(path, contentType);
    const next = await store(path, bodies);
    const status = request.method === "POST" ? 204 : isNew ? 201 : 200;
    return written(status, { "Stream-Next-Offset": next, "Content-Type": contentType });
  };

  const answer = async (request: IncomingMessage): Promise<HttpAnswer> => {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const { method = "" } = request;
    if (method === "PUT" || method === "POST") return await write(path, request);
    const given = await ask(path, method, query, request.headers);
    const contentType = contentTypes.get(path) ?? "application/json";
    return given.statusCode === 200 ? unwrapped(given, contentType, method) : given;
  };

  const server = createServer((request, response) => {
    answer(request).then(
      (given) => respond(response, given),
      (error: unknown) => respond(response, written(500, {}, String(error))),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await close();
    },
  };
}

function written(statusCode: number, headers: Record<string, string> = {}, body = ""): HttpAnswer {
  return { statusCode, headers, body };
}

const isJson = (contentType: string) => /^application\/json\b/i.test(contentType);

/** The messages of what is appended: JSON values, of which an array is flattened once, or bytes. */
function bodiesOf(body: Buffer, contentType: string): string[] {
  if (body.length === 0) return [];
  if (isJson(contentType)) {
    const value = JSON.parse(body.toString()) as unknown;
    return (Array.isArray(value) ? value : [value]).map((each) => JSON.stringify(each));
  }
  const pieces: string[] = [];
  for (let at = 0; at < body.length; at += MAX_PIECE_BYTES) {
    pieces.push(body.subarray(at, at + MAX_PIECE_BYTES).toString("latin1"));
  }
  return pieces;
}

/** The answer as a server of that stream gives it. */
function unwrapped({ statusCode, headers, body }: HttpAnswer, contentType: string, method: string): HttpAnswer {
  const typed = { ...headers, "Content-Type": contentType };
  if (method !== "GET") return { statusCode, headers: typed, body };
  const bodies = (JSON.parse(body) as MessageEnvelope[]).map((envelope) => envelope.body ?? "");
  return { statusCode, headers: typed, body: isJson(contentType) ? `[${bodies.join(",")}]` : bodies.join("") };
}

function respond(response: ServerResponse, { statusCode, headers, body }: HttpAnswer): void {
  // JSON is text; other bodies are bytes, each a character.
  response.writeHead(statusCode, headers);
  response.end(Buffer.from(body, isJson(headers["Content-Type"] ?? "") ? "utf8" : "latin1"));
}
