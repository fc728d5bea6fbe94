import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalCloud } from "../local/cloud";
import { epochMs } from "./epochMs";
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
  /** DynamoDB's units, in table and indexes. */
  units?: { table: string; read: number; write: number };
}

export interface Recording {
  calls: ServiceCall[];
  /** Completed invocations, by function. */
  invocations: Record<string, number>;
}

/** Records the requests of a local run's functions to table, gateway and queue, as the services receive them. */
export class Recorder {
  private recording: Recording | undefined;
  private answerDelayMs = 0;
  /** Running invocations, except those of the sweeper, which are on a timer. */
  private running = 0;

  private constructor(
    private readonly cloud: LocalCloud,
    private readonly meter: TableMeter,
  ) {}

  /** Call once per process: the recorder observes every server of the process. */
  static async attach(cloud: LocalCloud): Promise<Recorder> {
    const recorder = new Recorder(cloud, await TableMeter.of(cloud));
    // https://nodejs.org/api/diagnostics_channel.html#http
    subscribe("http.server.request.start", (message) => recorder.onRequest(message as Exchange));
    recorder.watchTables();
    recorder.watchInvocations();
    return recorder;
  }

  /** @param answerDelayMs Delay of every response, so that parallel requests overlap on any machine. */
  async start(answerDelayMs: number): Promise<void> {
    await this.untilIdle();
    this.recording = { calls: [], invocations: {} };
    this.answerDelayMs = answerDelayMs;
  }

  /** Invocations that have started are recorded to their end. */
  async stop(): Promise<Recording> {
    await this.untilIdle();
    const { recording } = this;
    if (!recording) throw new Error("nothing is being recorded");
    this.recording = undefined;
    return recording;
  }

  private readonly byRequest = new WeakMap<object, ServiceCall>();

  private onRequest({ request, response }: Exchange): void {
    const by = this.functionOf(request);
    if (!this.recording || by === undefined) return;
    const call: ServiceCall = {
      by,
      ...targetOf(request),
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
    lambda.invoke = async (functionName, event, caller) => {
      const by = functionIn(functionName);
      const counts = by === "expire" ? 0 : 1;
      this.running += counts;
      const invocation = await invoke(functionName, event, caller).finally(() => (this.running -= counts));
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

/** The relay's function in the name of a role or a function, such as `relay-deliver-role-03f9843`. */
function functionIn(name: string): string | undefined {
  return functions.find((each) => name.split("-").includes(each));
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
