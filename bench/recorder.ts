import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalCloud } from "../local/cloud";
import { epochMs } from "./epochMs";
import type { FunctionLogs } from "./functionLogs";
import type { LogBytes } from "./logLines";
import { TableMeter } from "./tableMeter";

/** A request from one of the relay's functions to a service. */
export interface ServiceCall {
  /** `deliver`, `resume`, …; polls of the event source mapping count as those of `deliver`, as on AWS. */
  by: string;
  service: "table" | "management" | "messaging";
  operation: string;
  /** Size of the request's body. */
  bytes: number;
  /** Epoch milliseconds: arrival of the request, end of the response. */
  startMs: number;
  endMs?: number;
  /** DynamoDB's units, in table and indexes. `empty` if a query of an index found nothing. */
  units?: { table: string; read: number; write: number; empty?: boolean };
}

export interface Recording {
  calls: ServiceCall[];
  /** Completed invocations, by function. */
  invocations: Record<string, number>;
  /** The lines that the functions wrote, by function. */
  logs: Record<string, LogBytes>;
}

/** Records the requests of a local run's functions to table, gateway and queue, as the services receive them. */
export class Recorder {
  private recording: Recording | undefined;
  private answerDelayMs = 0;
  /** Running invocations, except those of the sweeper, which are on a timer. */
  private running = 0;
  private sweepersRunning = 0;
  /** Invocations that clients' frames caused, since the start of the process. */
  private framesHandled = 0;
  /** Writes of the sweeper since the start of the process. */
  sweeperWrites = 0;

  private constructor(
    private readonly cloud: LocalCloud,
    private readonly meter: TableMeter,
    private readonly logs: FunctionLogs,
  ) {}

  /** Call once per process: the recorder observes every server of the process. */
  static async attach(cloud: LocalCloud, logs: FunctionLogs): Promise<Recorder> {
    const recorder = new Recorder(cloud, await TableMeter.of(cloud), logs);
    // https://nodejs.org/api/diagnostics_channel.html#http
    subscribe("http.server.request.start", (message) => recorder.onRequest(message as Exchange));
    recorder.watchTables();
    recorder.watchInvocations();
    return recorder;
  }

  /** @param answerDelayMs Delay of every response, so that parallel requests overlap on any machine. */
  async start(answerDelayMs: number): Promise<void> {
    await this.untilIdle();
    this.logs.taken();
    this.recording = { calls: [], invocations: {}, logs: {} };
    this.answerDelayMs = answerDelayMs;
  }

  /** Invocations that have started are recorded to their end. */
  async stop(): Promise<Recording> {
    await this.untilIdle();
    const { recording } = this;
    if (!recording) throw new Error("nothing is being recorded");
    this.recording = undefined;
    this.answerDelayMs = 0;
    for (const [name, { lines, bytes }] of Object.entries(this.logs.taken())) {
      const by = functionIn(name);
      if (by === undefined) continue;
      const sum = (recording.logs[by] ??= { lines: 0, bytes: 0 });
      sum.lines += lines;
      sum.bytes += bytes;
    }
    return recording;
  }

  /** Resolves once the functions have handled this number of frames since the start of the process, and none runs. */
  async untilHandled(frames: number): Promise<void> {
    const endMs = Date.now() + 60_000;
    while (this.framesHandled < frames) {
      if (Date.now() > endMs) throw new Error(`${this.framesHandled} of ${frames} frames were handled within a minute`);
      await delay(5);
    }
    await this.untilIdle();
  }

  async untilSweepersEnd(): Promise<void> {
    while (this.sweepersRunning > 0) await delay(5);
  }

  private readonly byRequest = new WeakMap<object, ServiceCall>();

  private onRequest({ request, response }: Exchange): void {
    const by = this.functionOf(request);
    if (by === undefined) return;
    const target = targetOf(request);
    if (by === "expire" && /^(Put|Update|Delete|BatchWrite|TransactWrite)/.test(target.operation)) this.sweeperWrites++;
    if (!this.recording) return;
    const call: ServiceCall = {
      by,
      ...target,
      bytes: Number(request.headers["content-length"] ?? 0),
      startMs: epochMs(),
    };
    this.recording.calls.push(call);
    this.byRequest.set(request, call);
    response.once("finish", () => (call.endMs = epochMs()));
    if (this.answerDelayMs > 0) delayEnd(response, this.answerDelayMs);
  }

  private async untilIdle(): Promise<void> {
    while (this.running > 0) await delay(5);
  }

  /** The function that signed a request; undefined for other callers. */
  private functionOf({ headers }: IncomingMessage): string | undefined {
    const principal = this.cloud.iam.principalOf(headers);
    return principal.kind === "role" ? functionIn(principal.role.name) : undefined;
  }

  private watchTables(): void {
    const { tables } = this.cloud;
    const ask = tables.ask.bind(tables);
    tables.ask = async (request, body) => {
      const call = this.byRequest.get(request);
      if (!call) return ask(request, body);
      const { answer, ...units } = await this.meter.ask(ask, request, call.operation, body);
      call.units = units;
      return answer;
    };
  }

  private watchInvocations(): void {
    const { lambda } = this.cloud;
    const invoke = lambda.invoke.bind(lambda);
    lambda.invoke = async (functionName, event, ...others) => {
      const by = functionIn(functionName);
      const running = by === "expire" ? "sweepersRunning" : "running";
      this[running] += 1;
      const invocation = await invoke(functionName, event, ...others).finally(() => (this[running] -= 1));
      if (by === "resume" || by === "acknowledge") this.framesHandled += 1;
      if (this.recording && by !== undefined) {
        this.recording.invocations[by] = (this.recording.invocations[by] ?? 0) + 1;
      }
      return invocation;
    };
  }
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

const functions = ["connect", "disconnect", "deliver", "resume", "acknowledge", "expire"];

/** The relay's function in the name of a role or a function, such as `relay-deliver-role-03f9843`, or in an ARN. */
export function functionIn(name: string): string | undefined {
  return functions.find((each) => name.split(/[-:]/).includes(each));
}

/** DynamoDB and SQS name the operation in a header, SNS in its body, the management API by its method. */
function targetOf({ method, url, headers }: IncomingMessage): Pick<ServiceCall, "service" | "operation"> {
  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    const [service = "", operation = ""] = target.split(".");
    return { service: service.startsWith("DynamoDB") ? "table" : "messaging", operation };
  }
  if ((url ?? "").includes("/@connections/")) return { service: "management", operation: String(method) };
  return { service: "messaging", operation: "Publish" };
}

function delayEnd(response: ServerResponse, ms: number): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = (...args: unknown[]) => {
    setTimeout(() => end(...args), ms);
    return response;
  };
}
