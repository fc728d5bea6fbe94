import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Invocation } from "./invoker";

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
/** "fatal": the process is of no more use. */
type Failure = { type: "error" | "fatal"; errorType: string; errorMessage: string };

/** One process that runs one function, one invocation at a time. */
export class ExecutionEnvironment {
  /** Resolves when the process has gone, with how it went. Never rejects. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private readonly initialized: Promise<Loaded>;

  constructor(private readonly options: EnvironmentOptions) {
    const child = spawn(options.nodePath, [runtimeFile], {
      cwd: options.folder,
      env: options.variables,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.child = child;
    this.ended = new Promise((resolve) => {
      // "close" rather than "exit": by then the last answer and the last lines have been read.
      child.once("close", (code, signal) => resolve(signal ? `signal: ${signal}` : `exit status ${code}`));
      child.on("error", (error) => resolve(error.message));
    });
    this.initialized = this.nextAnswer();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", options.log);
    }
  }

  /** A failure is an answer too; whether the environment can be used again afterwards shows in `isUsable`. */
  async invoke(request: InvocationRequest): Promise<Invocation> {
    const requestId = request.context.awsRequestId;
    const loaded = await this.within(initializationTimeoutMs, this.initialized, requestId);
    const answer = loaded.type === "ready" ? await this.run(request) : loaded;
    if (answer.type === "fatal") {
      // The next invocation gets a fresh process, as on Lambda.
      await this.end();
    }
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
    // A process that has just died cannot be sent to; `ended` answers then.
    this.child.send({ ...request, context }, () => undefined);
    return this.within(timeoutMs, answer, context.awsRequestId);
  }

  /** Stays pending where the process dies first: race it with `ended`. */
  private nextAnswer<Answer>(): Promise<Answer> {
    return new Promise((resolve) => this.child.once("message", (answer) => resolve(answer as Answer)));
  }

  private async within<Answer>(limitMs: number, answer: Promise<Answer>, requestId: string): Promise<Answer | Failure> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.child.kill("SIGKILL");
    }, limitMs);
    const died = this.ended.then((how): Failure => {
      const [errorType, reason] = timedOut
        ? ["Sandbox.Timedout", `Task timed out after ${(limitMs / 1000).toFixed(2)} seconds`]
        : ["Runtime.ExitError", `Runtime exited with error: ${how}`];
      return { type: "fatal", errorType, errorMessage: `RequestId: ${requestId} Error: ${reason}` };
    });
    try {
      return await Promise.race([answer, died]);
    } finally {
      clearTimeout(timer);
    }
  }
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
