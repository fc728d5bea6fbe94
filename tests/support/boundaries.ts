import type { ConnectionsClient, PostOutcome } from "../../handlers/connections/connectionsClient";
import type { Log, LogFields } from "../../handlers/log";
import type { DeadLetter } from "../../handlers/messages/message";
import type { MetricName, Metrics } from "../../handlers/metrics";
import type { MessageQueue, Visibility } from "../../handlers/queue/queue";
import { sessionId, type SessionKey } from "../../handlers/sessions/sessionKey";
import type { Session, SessionRow } from "../../handlers/sessions/sessionItems";
import {
  type Connections,
  hasConnection,
  liveConnections,
  withConnection,
  withoutConnection,
} from "../../handlers/sessions/sessionRow";
import type { ReadForConnect, Saved, SessionStore } from "../../handlers/sessions/sessionStore";

/** Sessions in a map; a method that is in `failing` rejects. */
export class MemorySessions implements SessionStore {
  readonly sessionRows = new Map<string, SessionRow>();
  readonly failing = new Set<string>();
  readonly calls: string[] = [];
  /** Runs before each `read`: what happens in the meantime. */
  beforeRead: (key: SessionKey) => void = () => undefined;

  /** The newest live connection of each session, by `sessionId`; `clear` deletes their rows. */
  get rows(): Map<string, Session> {
    const found = [...this.sessionRows].flatMap(([id, row]) =>
      liveConnections(row)
        .slice(0, 1)
        .map((newest) => [id, newest] as const),
    );
    return Object.assign(new Map(found), { clear: () => this.sessionRows.clear() });
  }

  /** The ids of all connections of all sessions. */
  connectionIds(): string[] {
    const connections = [...this.sessionRows.values()].flatMap((row) => row.connections);
    return connections.map(({ connectionId }) => connectionId).sort();
  }

  /** Adds the connection to its session. By default it becomes the only live one. */
  put(session: Session, connections: Connections = "newest"): void {
    const next = withConnection(this.sessionRows.get(sessionId(session)), session, connections);
    // A test that puts an older connection means it.
    if (typeof next === "string") throw new Error(`the connection was not added: ${next}`);
    this.sessionRows.set(sessionId(session), next.row);
  }

  readForConnect(key: SessionKey): Promise<ReadForConnect> {
    return this.call("readForConnect", () => {
      const row = this.sessionRows.get(sessionId(key));
      return row ? { row } : {};
    });
  }

  save(
    session: Session,
    connections: Connections,
    _row?: SessionRow,
    gone?: ReadonlySet<string>,
  ): Promise<Saved | "superseded" | "full"> {
    return this.call("save", () => {
      const row = this.sessionRows.get(sessionId(session));
      if (row && hasConnection(row, session.connectionId)) return { superseded: [] };
      const next = withConnection(row, session, connections, gone);
      if (typeof next === "string") return next;
      this.sessionRows.set(sessionId(session), next.row);
      return { superseded: next.superseded };
    });
  }

  readAll(keys: readonly SessionKey[]): Promise<Map<string, SessionRow>> {
    return this.call("readAll", () => {
      const found = keys.flatMap((key) => this.sessionRows.get(sessionId(key)) ?? []);
      return new Map(found.map((row) => [sessionId(row), row]));
    });
  }

  read(key: SessionKey): Promise<SessionRow | undefined> {
    return this.call("read", () => {
      this.beforeRead(key);
      return this.sessionRows.get(sessionId(key));
    });
  }

  removeConnection(
    key: SessionKey,
    connectionId: string,
    _signal?: AbortSignal,
    without = withoutConnection,
  ): Promise<boolean> {
    return this.call("removeConnection", () => {
      const row = this.sessionRows.get(sessionId(key));
      const rest = row && without(row, connectionId);
      if (rest) this.sessionRows.set(sessionId(key), rest);
      else this.sessionRows.delete(sessionId(key));
      return row !== undefined && liveConnections(row).some((each) => each.connectionId === connectionId);
    });
  }

  protected async call<T>(name: string, work: () => T): Promise<T> {
    this.calls.push(name);
    if (this.failing.has(name)) throw new Error(`${name} fails`);
    return await Promise.resolve(work());
  }
}

/** Connections that answer what `answers` says, by connection id; without an entry a POST is delivered. */
export class MemoryConnections implements ConnectionsClient {
  readonly posts: { connectionId: string; body: string }[] = [];
  readonly closed: string[] = [];
  readonly asked: string[] = [];
  readonly answers = new Map<string, PostOutcome["result"]>();
  /** What `isGone` answers; undefined makes it fail. */
  gone: boolean | undefined = true;
  closeFails = false;
  /** Answers instead of `answers`. */
  onPost: ((connectionId: string, body: string, signal?: AbortSignal) => Promise<PostOutcome>) | undefined;

  async post(connectionId: string, body: string, signal?: AbortSignal): Promise<PostOutcome> {
    this.posts.push({ connectionId, body });
    if (this.onPost) return await this.onPost(connectionId, body, signal);
    return { result: this.answers.get(connectionId) ?? "delivered" };
  }

  async isGone(connectionId: string): Promise<boolean> {
    this.asked.push(connectionId);
    if (this.gone === undefined) throw new Error("isGone fails");
    return await Promise.resolve(this.gone);
  }

  async close(connectionId: string): Promise<"closed" | "gone"> {
    this.closed.push(connectionId);
    if (this.closeFails) throw new Error("close fails");
    return await Promise.resolve("closed");
  }
}

export class MemoryQueue implements MessageQueue {
  readonly visibilities: Visibility[][] = [];
  readonly deadLetters: DeadLetter[] = [];
  deadLetterFails = false;

  async changeVisibility(entries: readonly Visibility[]): Promise<void> {
    this.visibilities.push([...entries]);
    return await Promise.resolve();
  }

  async deadLetter(deadLetter: DeadLetter): Promise<void> {
    if (this.deadLetterFails) throw new Error("deadLetter fails");
    this.deadLetters.push(deadLetter);
    return await Promise.resolve();
  }
}

export class RecordedLog implements Log {
  readonly lines: ({ level: string; event: string } & LogFields)[] = [];
  info = (event: string, fields?: LogFields) => void this.lines.push({ level: "info", event, ...fields });
  warn = (event: string, fields?: LogFields) => void this.lines.push({ level: "warn", event, ...fields });
  error = (event: string, fields?: LogFields) => void this.lines.push({ level: "error", event, ...fields });

  /** Everything that was logged, to look for what must not be in it. */
  get text(): string {
    return JSON.stringify(this.lines);
  }
}

/** What was counted and measured; `flushes` are what each flush wrote. */
export class RecordedMetrics implements Metrics {
  readonly flushes: Added[][] = [];
  private added: Added[] = [];

  add(name: MetricName, value: number, reason?: string): void {
    this.added.push({ name, value, reason });
  }

  flush(): void {
    this.flushes.push(this.added);
    this.added = [];
  }
}

interface Added {
  name: MetricName;
  value: number;
  reason: string | undefined;
}

/** An SDK client's HTTP, answered by `respond`; records each request with its JSON body parsed. */
export function fakeRequestHandler(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const requests: FakeRequest[] = [];
  return {
    requests,
    requestHandler: {
      handle: async (
        request: { method: string; path: string; headers: Record<string, string>; body?: unknown },
        options?: { abortSignal?: { aborted: boolean } },
      ) => {
        const text = request.body === undefined ? "" : Buffer.from(request.body as Uint8Array).toString();
        const target = request.headers["x-amz-target"]?.split(".")[1];
        const sent = {
          method: request.method,
          path: request.path,
          target,
          text,
          aborted: options?.abortSignal?.aborted,
        };
        requests.push(sent);
        const { status = 200, headers = {}, body = {} } = respond(sent, requests.length - 1);
        const { HttpResponse } = require("@smithy/core/protocols") as typeof import("@smithy/core/protocols");
        const { Readable } = require("node:stream") as typeof import("node:stream");
        const content = typeof body === "string" ? body : JSON.stringify(body);
        return await Promise.resolve({
          response: new HttpResponse({ statusCode: status, headers, body: Readable.from([Buffer.from(content)]) }),
        });
      },
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
    },
  };
}

export interface FakeRequest {
  method: string;
  path: string;
  target: string | undefined;
  text: string;
  /** Whether the caller's signal was aborted; undefined where there is none. */
  aborted: boolean | undefined;
}

export interface FakeResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export const fakeCredentials = { region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "s" } };
