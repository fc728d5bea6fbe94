import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

/** A process that runs a file of this folder and handles one request at a time. It ends with its parent at the latest. */
export class Child<Request extends object, Answer> {
  private constructor(private readonly process: ChildProcess) {}

  /** @param file Its program, which calls `answer(…)`. */
  static start<Request extends object, Answer>(file: string, env: Record<string, string> = {}): Child<Request, Answer> {
    return new Child(
      fork(join(__dirname, file), {
        execArgv: ["-r", join(__dirname, "../transpile")],
        env: { PATH: process.env.PATH, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true", ...env },
        // Logs of functions are not needed, and stdout is for the measurements.
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      }),
    );
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null) =>
        reject(new Error(`${this.process.spawnargs.at(-1)} ended (${signal ?? code}) instead of an answer`));
      this.process.once("exit", onExit);
      this.process.once("message", ({ error, value }: { error?: string; value: Answer }) => {
        this.process.off("exit", onExit);
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      this.process.send(request);
    });
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }
}

/** In the child process: handles the parent's requests until the parent ends. */
export function answer<Request, Answer>(respond: (request: Request) => Promise<Answer>): void {
  process.on("message", (request: Request) => {
    respond(request).then(
      (value) => process.send?.({ value }),
      (error: Error) => process.send?.({ error: String(error.stack) }),
    );
  });
  process.on("disconnect", () => process.exit());
}
