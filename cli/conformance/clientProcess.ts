import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** A line that the client under test has printed. */
export interface PrintedLine {
  type: string;
  seq?: number;
  body?: string;
  first?: number;
  lost?: string;
  id?: string;
  offset?: number;
  text?: string;
}

/** How long the client has to end after its stdin was closed, and then again after SIGTERM. */
const STDIN_GRACE_MS = 1_000;
const SIGTERM_GRACE_MS = 5_000;

const MAX_KEPT_LINES = 20;

/** The client under test: a process that follows the contract of docs/conformance.md. */
export class ClientProcess {
  readonly printed: PrintedLine[] = [];
  /** A line on stdout that breaks the contract. */
  problem: string | undefined;
  /** How it has ended, such as `exit code 1` or `SIGKILL`. */
  end: string | undefined;
  /** Why it could not be started. */
  startError: Error | undefined;
  private readonly errors: string[] = [];
  private readonly ended: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    changed: () => void,
  ) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.read(line);
      changed();
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.errors.push(line);
      if (this.errors.length > MAX_KEPT_LINES) this.errors.shift();
    });
    // A client that has closed its stdin breaks the pipe.
    child.stdin.on("error", () => undefined);
    this.ended = once(child, "close").then(
      ([code, signal]: unknown[]) => {
        this.end = signal === null ? `exit code ${String(code)}` : String(signal);
        changed();
      },
      ({ message }: Error) => {
        const fix = "pass a program that exists, and its arguments, after --";
        this.startError = new Error(`the client cannot be started: ${message}. Fix: ${fix}`);
        this.end = message;
        changed();
      },
    );
  }

  static start(
    [file = "", ...args]: readonly string[],
    env: Record<string, string>,
    changed: () => void,
  ): ClientProcess {
    // A process group of its own, so that the children of a command such as npm or a shell are ended with it.
    const child = spawn(file, args, { env: { ...process.env, ...env }, detached: true });
    return new ClientProcess(child, changed);
  }

  /** The last lines of its stderr. */
  get stderr(): string {
    return this.errors.join("\n");
  }

  /** Closes its stdin, and if it does not end, sends SIGTERM, then SIGKILL. */
  async stop(): Promise<void> {
    this.child.stdin.end();
    await this.within(STDIN_GRACE_MS);
    if (this.end !== undefined) return this.signal("SIGKILL");
    this.signal("SIGTERM");
    await this.within(SIGTERM_GRACE_MS);
    this.kill();
    await this.ended;
  }

  /** Ends it and its children at once, as a crash does. */
  kill(): void {
    this.signal("SIGKILL");
  }

  private async within(ms: number): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.ended, pause(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }

  private signal(signal: NodeJS.Signals): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
    } catch (error) {
      // Nothing of the group is running any more.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  private read(line: string): void {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    const problem = problemIn(value);
    if (problem === undefined) this.printed.push(value as PrintedLine);
    else this.problem ??= `printed ${JSON.stringify(line.slice(0, 200))} on stdout, ${problem}`;
  }
}

function problemIn(value: unknown): string | undefined {
  const { type, seq, body } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof type !== "string") {
    return "where each line is a JSON object with a type, as docs/conformance.md says. Fix: print logs on stderr";
  }
  if (type === "message" && !(Number.isSafeInteger(seq) && typeof body === "string")) {
    return "a message without its seq (a number) and its body (a string)";
  }
  return undefined;
}
