import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { LocalCloud } from "../local/cloud";
import { epochMs } from "./epochMs";
import { TableMeter } from "./tableMeter";

/** A request of one of the relay's functions to a service. */
export interface ServiceCall {
  /** `deliver`, `resume`, …; the event source mapping's polls are deliver's, as on AWS. */
  by: string;
  service: "table" | "management" | "messaging";
  operation: string;
  /** Of the request's body. */
  bytes: number;
  /** Epoch milliseconds: the request has arrived, the answer has left. */
  startMs: number;
  endMs?: number;
  /** DynamoDB's units, in table and indexes. */
  units?: { table: string; read: number; write: number };
}

export interface Recording {
  calls: ServiceCall[];
  /** Invocations that have ended, by function. */
  invocations: Record<string, number>;
}

/** What the functions of a local run ask of table, gateway and queue, as the services see it. */
export class Recorder {
  private recording: Recording | undefined;
  private answerDelayMs = 0;
  /** Invocations under way, but for the sweeper's, which come by themselves. */
  private running = 0;

  private constructor(
    private readonly cloud: LocalCloud,
    private readonly meter: TableMeter,
  ) {}

  /** One a process: it sees every server that this process has. */
  static async attach(cloud: LocalCloud): Promise<Recorder> {
    const recorder = new Recorder(cloud, await TableMeter.of(cloud));
    // https://nodejs.org/api/diagnostics_channel.html#http
    subscribe("http.server.request.start", (message) => recorder.onRequest(message as Exchange));
    recorder.watchTables();
    recorder.watchInvocations();
    return recorder;
  }

  /** @param answerDelayMs How long every answer is held back: what is asked side by side overlaps then, whatever the machine does. */
  async start(answerDelayMs: number): Promise<void> {
    await this.untilIdle();
    this.recording = { calls: [], invocations: {} };
    this.answerDelayMs = answerDelayMs;
  }

  /** What has begun by now is part of it to its end. */
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

  /** Which function has signed a request; undefined for everybody else. */
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

/** Which function of the relay a role, or a function, is of by its name, such as `relay-deliver-role-03f9843`. */
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
