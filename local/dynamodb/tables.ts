import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import dynalite = require("dynalite");
import { dynaliteParameters, tightenDynalite } from "./dynaliteRules";
import { Iam } from "../iam/iam";
import { TableAccess } from "./tableAccess";
import { tableRequestRefusal } from "./tableRequests";
import { tableTrace } from "./tableTrace";
import type { Trace } from "../trace/trace";

/**
 * DynamoDB on one machine: dynalite, with a trace of its requests, an injectable fault, and refusals that dynalite lacks. TTL
 * deletes nothing (on AWS it lags by days anyway), and indexes are updated at once; docs/local-run.md lists the other
 * differences from AWS.
 */
export class Tables {
  private held: (() => void)[] | undefined;
  /** How many more writes are answered before answers are held back. */
  private answeredBefore = 0;
  private readonly whenHeld: (() => void)[] = [];
  private readonly serving = new Set<Promise<Answer>>();
  private readonly asking = new Set<Promise<Answer>>();
  private exclusive: Promise<unknown> | undefined;
  private isClosed = false;

  private constructor(
    private readonly server: Server,
    private readonly answer: RequestListener,
    private readonly trace: Trace,
    readonly access: TableAccess,
  ) {
    server.removeAllListeners("request");
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  /** `iam` judges every request; by default it is one without any role. */
  static async start({ trace, iam = new Iam() }: { trace: Trace; iam?: Iam }): Promise<Tables> {
    tightenDynalite();
    const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
    const [answer] = server.listeners("request") as RequestListener[];
    if (!answer) throw new Error("dynalite has no request listener");
    const tables = new Tables(server, answer, trace, new TableAccess(iam));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return tables;
  }

  /** Where DynamoDB clients connect: `http://127.0.0.1:PORT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /**
   * From now on writes happen, but their answers are held back until `releaseAnswers`, except for the first `after` ones. Reads
   * are answered.
   */
  holdAnswers(after = 0): void {
    this.held ??= [];
    this.answeredBefore = after;
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

  /** Runs `work` while no other request is answered: the others wait until it has ended. `work` asks by `ask`. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    while (this.exclusive) await this.exclusive;
    const done = Promise.all(this.serving).then(work);
    this.exclusive = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.exclusive = undefined;
    }
  }

  /** Ends every connection, those that wait for a held answer included. */
  async close(): Promise<void> {
    this.held = undefined;
    this.isClosed = true;
    await Promise.all(this.asking);
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const operation = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const denial = (await this.access.denial(request.headers, operation, body)) ?? refusal(operation, body);
    if (denial !== undefined) {
      this.record(operation, body, { status: 400, headers: {}, body: denial });
      response.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(denial);
      return;
    }
    while (this.exclusive) await this.exclusive;
    const serving = this.ask(request, body);
    this.serving.add(serving);
    const answer = await serving.finally(() => this.serving.delete(serving));
    this.record(operation, body, answer);
    const send = () => response.writeHead(answer.status, answer.headers).end(answer.body);
    if (this.held && isWrite(operation) && this.answeredBefore-- <= 0) {
      this.held.push(send);
      for (const resolve of this.whenHeld.splice(0)) resolve();
    } else {
      send();
    }
  }

  /**
   * Dynalite's answer. Dynalite gets only complete requests: it throws, and would end the local run, when a client hangs up
   * in the middle of one, or after it is closed.
   */
  async ask(request: Pick<IncomingMessage, "method" | "url" | "headers">, body: Buffer): Promise<Answer> {
    if (this.isClosed) throw new Error("The local DynamoDB is closed.");
    const asking = this.askDynalite(request, body);
    this.asking.add(asking);
    return asking.finally(() => this.asking.delete(asking));
  }

  private askDynalite(
    { method, url, headers }: Pick<IncomingMessage, "method" | "url" | "headers">,
    body: Buffer,
  ): Promise<Answer> {
    return new Promise((resolve) => {
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

  private record(operation: string, request: Buffer, { status, body }: Answer): void {
    const seen = tableTrace(operation, request, status, body);
    if (seen) this.trace.record("Lambda", seen.table, seen.label);
  }
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders & Record<string, string>;
  body: string;
}

/** The answer to a request of an SDK client that is refused before dynalite sees it. */
function refusal(operation: string, body: Buffer): string | undefined {
  // Not a request to DynamoDB: dynalite refuses it.
  if (operation === "") return undefined;
  const refused = tableRequestRefusal(operation, body.toString(), dynaliteParameters);
  return refused && JSON.stringify({ __type: `com.amazon.coral.validate#${refused.type}`, message: refused.message });
}

/** Only changes of items are held back, not the creation or deletion of tables. */
function isWrite(operation: string): boolean {
  return /^(PutItem|UpdateItem|DeleteItem|BatchWriteItem|Transact.*)$/.test(operation);
}
