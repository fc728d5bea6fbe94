import { mkdtemp, realpath, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { unpackArchive } from "./archive";
import { type EnvironmentOptions, ExecutionEnvironment } from "./executionEnvironment";

/**
 * One state of a function's code and configuration, with the environments that run it. A change of the function makes
 * another one; this one is retired then.
 */
export class FunctionVersion {
  private readonly idle: ExecutionEnvironment[] = [];
  private readonly environments = new Set<ExecutionEnvironment>();
  private retired = false;

  private constructor(private readonly options: EnvironmentOptions) {}

  /** Unpacks `code` into a folder of its own; `optionsFor` completes what depends on where that is. */
  static async create(
    code: unknown,
    optionsFor: (folder: string) => Omit<EnvironmentOptions, "folder">,
  ): Promise<FunctionVersion> {
    // The real path, for macOS: a module's own name would differ from LAMBDA_TASK_ROOT behind the link.
    const folder = await mkdtemp(path.join(await realpath(os.tmpdir()), "lambda-"));
    try {
      await unpackArchive(code, folder);
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
    return new FunctionVersion({ ...optionsFor(folder), folder });
  }

  /** A warm environment, else a new one, else (with `maxEnvironments` busy) none. */
  acquire(maxEnvironments: number): ExecutionEnvironment | undefined {
    const warm = this.idle.pop();
    if (warm !== undefined || this.environments.size >= maxEnvironments) {
      return warm;
    }
    const environment = new ExecutionEnvironment(this.options);
    this.environments.add(environment);
    void environment.ended.then(() => this.forget(environment));
    return environment;
  }

  /** Gives an acquired environment back, warm if that is possible. */
  async release(environment: ExecutionEnvironment): Promise<void> {
    if (environment.isUsable && !this.retired) {
      this.idle.push(environment);
      return;
    }
    await environment.end();
    this.forget(environment);
    if (this.retired) {
      await this.removeFolderWhenUnused();
    }
  }

  /** Ends the idle environments now, and the busy ones once they are released. */
  async retire(): Promise<void> {
    this.retired = true;
    await Promise.all(this.idle.splice(0).map((environment) => this.release(environment)));
    await this.removeFolderWhenUnused();
  }

  /** Ends the busy environments too: what they run fails. */
  async kill(): Promise<void> {
    this.retired = true;
    await Promise.all([...this.environments].map((environment) => environment.end()));
    await this.retire();
  }

  private forget(environment: ExecutionEnvironment): void {
    this.environments.delete(environment);
    const index = this.idle.indexOf(environment);
    if (index >= 0) this.idle.splice(index, 1);
  }

  private async removeFolderWhenUnused(): Promise<void> {
    if (this.environments.size === 0) {
      await rm(this.options.folder, { recursive: true, force: true });
    }
  }
}
