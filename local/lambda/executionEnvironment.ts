import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Invocation } from "./invoker";
import { endEvents, type SystemEvent } from "./logLevels";

const runtimeFile = path.join(__dirname, "runtime.js");

/** Lambda's own limit for loading a function's code, which is not part of the function's timeout. */
const initializationTimeoutMs = 10_000;

export interface EnvironmentOptions {
  nodePath: string;
  /** Where the function's code was unpacked; the process's working directory. */
  folder: string;
  variables: Record<string, string>;
  timeoutSeconds: number;
  /** Receives each line that the process writes. */
  log: (line: string) => void;
  /** Receives Lambda's own events. */
  systemLog: (event: SystemEvent) => void;
}

export interface InvocationRequest {
  event: unknown;
  context: { awsRequestId: string } & Record<string, unknown>;
  /** Kill the process in the middle of this invocation. */
  crash: boolean;
}

/** How loading the code went. */
type Loaded = { type: "ready" } | Failure;
/** How an invocation went. */
type Outcome = { type: "result"; payload: string } | Failure;
/** "fatal": the process cannot be used again. */
type Failure = { type: "error" | "fatal"; errorType: string; errorMessage: string };
/** The process has gone without an answer. */
type Ended = { type: "ended"; how: string };

/** One process that runs one function, one invocation at a time. */
export class ExecutionEnvironment {
  /** Resolves when the process has gone, with how it went. Never rejects. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private readonly initialized: Promise<Loaded | Ended>;
  /** Takes the process's next answer, or its end. */
  private settle: (answer: Loaded | Outcome | Ended) => void = () => undefined;
  private gone?: Ended;

  constructor(private readonly options: EnvironmentOptions) {
    const child = spawn(options.nodePath, [runtimeFile], {
      cwd: options.folder,
      env: options.variables,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.child = child;
    this.initialized = this.nextAnswer<Loaded>();
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.gone = { type: "ended", how };
        this.settle(this.gone);
        resolve(how);
      };
      // "close" rather than "exit": by then the last answer and the last lines have been read.
      child.once("close", (code, signal) => end(signal ? `signal: ${signal}` : `exit status ${code}`));
      child.on("error", (error) => end(error.message));
    });
    child.on("message", (answer) => this.settle(answer as Loaded | Outcome));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", options.log);
    }
  }

  /** A failure is an answer too; whether the environment can be used again afterwards shows in `isUsable`. */
  async invoke(request: InvocationRequest): Promise<Invocation> {
    const requestId = request.context.awsRequestId;
    const startedAtMs = performance.now();
    this.options.systemLog({ type: "platform.start", level: "INFO", record: { requestId, version: "$LATEST" } });
    const loaded = await this.within(initializationTimeoutMs, this.initialized, requestId);
    const answer = loaded.type === "ready" ? await this.run(request) : loaded;
    if (answer.type === "fatal") {
      // The next invocation gets a fresh process, as on Lambda.
      await this.end();
    }
    const durationMs = Math.round(performance.now() - startedAtMs);
    endEvents(requestId, { ...statusOf(answer), durationMs }).forEach((event) => this.options.systemLog(event));
    return toInvocation(answer);
  }

  get isUsable(): boolean {
    return this.child.connected && !this.child.killed && this.child.exitCode === null;
  }

  /** Kills the process and resolves when it has gone. Lambda gives a function without extensions no warning either. */
  async end(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  private async run(request: InvocationRequest): Promise<Outcome> {
    const timeoutMs = this.options.timeoutSeconds * 1000;
    const answer = this.nextAnswer<Outcome>();
    const context = { ...request.context, deadlineMs: Date.now() + timeoutMs };
    // Sending to a process that has just died fails; its end is the answer then.
    this.child.send({ ...request, context }, () => undefined);
    return this.within(timeoutMs, answer, context.awsRequestId);
  }

  /**
   * Resolves with what the process answers next, or with its end. A promise of its own for each answer: reactions on
   * `ended` would live as long as the process, and with them everything it has ever answered.
   */
  private nextAnswer<Answer extends Loaded | Outcome>(): Promise<Answer | Ended> {
    if (this.gone) return Promise.resolve(this.gone);
    return new Promise((resolve) => (this.settle = resolve as typeof this.settle));
  }

  private async within<Answer>(
    limitMs: number,
    answer: Promise<Answer | Ended>,
    requestId: string,
  ): Promise<Answer | Failure> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.child.kill("SIGKILL");
    }, limitMs);
    const settled = await answer;
    clearTimeout(timer);
    if (!isEnded(settled)) return settled;
    const [errorType, reason] = timedOut
      ? ["Sandbox.Timedout", `Task timed out after ${(limitMs / 1000).toFixed(2)} seconds`]
      : ["Runtime.ExitError", `Runtime exited with error: ${settled.how}`];
    return { type: "fatal", errorType, errorMessage: `RequestId: ${requestId} Error: ${reason}` };
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#Status */
function statusOf(answer: Outcome | Failure): { status: string; errorType?: string } {
  if (answer.type === "result") return { status: "success" };
  const { errorType } = answer;
  if (errorType === "Sandbox.Timedout") return { status: "timeout", errorType };
  return { status: answer.type === "fatal" ? "failure" : "error", errorType };
}

function isEnded(answer: unknown): answer is Ended {
  return (answer as Ended).type === "ended";
}

function toInvocation(answer: Outcome): Invocation {
  switch (answer.type) {
    case "result":
      return { payload: JSON.parse(answer.payload) };
    case "error":
    case "fatal":
      return {
        functionError: "Unhandled",
        payload: { errorType: answer.errorType, errorMessage: answer.errorMessage },
      };
  }
}
