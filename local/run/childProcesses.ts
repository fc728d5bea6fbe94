import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";

/** The processes that a run starts on the user's terminal. They end before the run does. */
export class ChildProcesses {
  private readonly running = new Set<ChildProcess>();
  private ending = false;

  /** @throws Error if the run is ending. */
  start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    if (this.ending) throw new Error(`${command} is not started: the run is ending`);
    const child = spawn(command, args, options);
    this.running.add(child);
    // A command that cannot be started emits "error" only.
    for (const event of ["close", "error"]) child.once(event, () => this.running.delete(child));
    return child;
  }

  /** Resolves when all have ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.ending = true;
    const running = [...this.running];
    const closed = running.map((child) => once(child, "close"));
    // The terminal sends Ctrl-C to them itself. A second one would make pulumi exit without saving the state.
    if (signal !== "SIGINT") running.forEach((child) => child.kill(signal));
    await Promise.all(closed);
  }
}
