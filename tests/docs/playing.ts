import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { type Block, placeOf } from "./blocks";

/** One call of a function that the block was given: `show({ text: "hello" })`. */
export interface Call {
  name: string;
  args: unknown[];
}

/** Begins a line that is such a call, in what the block's process prints. */
export const CALL = "docs-call ";

/** A printed block that runs, as a process of its own. */
export class Playing {
  readonly calls: Call[] = [];
  private readonly printed: string[] = [];
  private readonly said: string[] = [];
  private readonly changed = new EventEmitter();
  private readonly ended: Promise<number | string>;
  private end: number | string | undefined;

  constructor(
    private readonly block: Block,
    private readonly child: ChildProcess,
  ) {
    started.push(this);
    this.changed.setMaxListeners(0);
    const { stdout, stderr } = child;
    if (!stdout || !stderr) throw new Error("a block's output is read");
    createInterface({ input: stdout }).on("line", (line) => {
      this.said.push(line);
      if (line.startsWith(CALL)) this.calls.push(JSON.parse(line.slice(CALL.length)) as Call);
      else this.printed.push(line);
      this.changed.emit("change");
    });
    createInterface({ input: stderr }).on("line", (line) => this.said.push(line));
    // Else its output would not end before what it has started in the background.
    child.once("exit", () => this.signal("SIGTERM"));
    this.ended = once(child, "close").then(([code, signal]: unknown[]) => {
      this.end = (code ?? signal) as number | string;
      this.changed.emit("change");
      return this.end;
    });
  }

  static start(block: Block, command: string, args: string[], options: SpawnOptions): Playing {
    // A group of its own: what a shell has started in the background ends with it.
    return new Playing(block, spawn(command, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** The arguments of the first call of that name that matches, which has come or comes. */
  async call(name: string, matches: (args: unknown[]) => boolean = () => true): Promise<unknown[]> {
    for (;;) {
      const found = this.calls.find((call) => call.name === name && matches(call.args));
      if (found) return found.args;
      await this.change(`called ${name}`);
    }
  }

  /** The first line, printed or to come, that matches. */
  async line(expected: RegExp): Promise<string> {
    for (;;) {
      const found = this.printed.find((line) => expected.test(line));
      if (found !== undefined) return found;
      await this.change(`printed ${expected}`);
    }
  }

  /** What it has printed when it has ended with 0. */
  async succeeded(): Promise<string> {
    const end = await this.ended;
    if (end !== 0) throw this.failure(`ended with ${end}`);
    return this.printed.join("\n");
  }

  /** Sends a signal to the block and to what it has started. */
  signal(signal: NodeJS.Signals): void {
    signalGroup(this.child, signal);
  }

  abandon(): string[] {
    this.signal("SIGKILL");
    return this.end === undefined ? [this.failure("was still running").message] : [];
  }

  private async change(before: string): Promise<void> {
    if (this.end !== undefined) throw this.failure(`ended with ${this.end} before it ${before}`);
    await once(this.changed, "change");
  }

  private failure(how: string): Error {
    return new Error(`${placeOf(this.block)}: the block ${how}. It said:\n${this.said.join("\n")}`);
  }
}

const started: Playing[] = [];

/**
 * Ends all that runs still: what a failed test has left would keep the runner from ever ending.
 *
 * @returns What each said that had not ended.
 */
export function endAll(): string[] {
  return started.splice(0).flatMap((playing) => playing.abandon());
}
process.once("exit", endAll);

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    // Nothing of it runs any more.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
