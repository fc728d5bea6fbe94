import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import dynalite = require("dynalite");
import type { Trace } from "./trace";

/**
 * DynamoDB on one machine: dynalite, with a trace of what it was asked and a fault in front of it. It knows no expiry
 * (TTL deletion lags by days on AWS anyway), no transactions and no ReturnValuesOnConditionCheckFailure, and its
 * indexes are current at once.
 */
export class Tables {
  private held: (() => void)[] | undefined;
  private readonly whenHeld: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    private readonly answer: RequestListener,
    private readonly trace: Trace,
  ) {
    server.removeAllListeners("request");
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  static async start({ trace }: { trace: Trace }): Promise<Tables> {
    const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
    const [answer] = server.listeners("request") as RequestListener[];
    if (!answer) throw new Error("dynalite has no request listener");
    const tables = new Tables(server, answer, trace);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return tables;
  }

  /** Where DynamoDB clients connect: `http://127.0.0.1:PORT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on writes happen, but their writers are not told until `releaseAnswers`. Reads are answered. */
  holdAnswers(): void {
    this.held ??= [];
  }

  /** Sends the answers that were held back, and holds back no more. */
  releaseAnswers(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const send of held) send();
  }

  /** How many answers are being held back. */
  heldAnswers(): number {
    return this.held?.length ?? 0;
  }

  /** Resolves once at least one answer is being held back. */
  untilHeld(): Promise<void> {
    return this.heldAnswers() > 0 ? Promise.resolve() : new Promise((resolve) => this.whenHeld.push(resolve));
  }

  /** Ends every connection, those that wait for a held answer included. */
  async close(): Promise<void> {
    this.held = undefined;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const answer = await this.ask(request, body);
    this.record(operation, answer);
    const send = () => response.writeHead(answer.status, answer.headers).end(answer.body);
    if (this.held && isWrite(operation)) {
      this.held.push(send);
      for (const resolve of this.whenHeld.splice(0)) resolve();
    } else {
      send();
    }
  }

  /**
   * What dynalite answers. It is given a request that has arrived in full, for it throws - and so would end the local
   * run - where a client hangs up in the middle of one.
   */
  private ask(request: IncomingMessage, body: Buffer): Promise<Answer> {
    return new Promise((resolve) => {
      const { method, url, headers } = request;
      const whole = Object.assign(Readable.from(body.length > 0 ? [body] : []), { method, url, headers });
      const answer: Answer = { status: 200, headers: {}, body: "" };
      const response = {
        set statusCode(status: number) {
          answer.status = status;
        },
        setHeader: (name: string, value: string | number) => (answer.headers[name] = String(value)),
        end: (text = "") => resolve({ ...answer, body: text }),
      };
      this.answer(whole as unknown as IncomingMessage, response as unknown as ServerResponse<IncomingMessage>);
    });
  }

  private record(operation: string, { status, body }: Answer): void {
    const label = labels[operation];
    if (!label) return;
    const answer = (body ? JSON.parse(body) : {}) as Record<string, unknown>;
    this.trace.record(
      "Lambda",
      "WSSessionDB",
      `${label}: ${status === 200 ? gist(operation, answer) : failure(answer)}`,
    );
  }
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders & Record<string, string>;
  body: string;
}

/** What an operation means in the flow. */
const labels: Record<string, string> = {
  PutItem: "save session",
  UpdateItem: "save session",
  GetItem: "read sessions",
  BatchGetItem: "read sessions",
  Query: "read sessions",
  Scan: "read sessions",
  DeleteItem: "delete session",
  BatchWriteItem: "write sessions",
};

/** A write changes items; a table's own life is not held back. */
function isWrite(operation: string): boolean {
  return /^(PutItem|UpdateItem|DeleteItem|BatchWriteItem|Transact.*)$/.test(operation);
}

function gist(operation: string, { Item, Items, Responses }: Record<string, unknown>): string {
  if (operation === "GetItem") return found(Item ? 1 : 0);
  if (Array.isArray(Items)) return found(Items.length);
  if (Responses) return found(Object.values(Responses as Record<string, unknown[]>).flat().length);
  return "ok";
}

function found(count: number): string {
  return count === 0 ? "none found" : `${count} found`;
}

function failure({ __type: type }: Record<string, unknown>): string {
  return String(type).split("#").at(-1) === "ConditionalCheckFailedException"
    ? "refused by its condition"
    : `failed, ${String(type).split("#").at(-1)}`;
}
