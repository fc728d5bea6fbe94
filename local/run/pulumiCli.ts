import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import type { ChildProcesses } from "./childProcesses";
import type { StackConfig } from "./stackConfig";

/** The stack that the CLI sees. Its file is written here: the CLI adds a salt to it, which no file of the user's should get. */
export const stackName = "engine";
const firstLine = /^# Written by npm run engine \(process (\d+)\)/;

/** The real pulumi CLI in a program's folder, with its own state, and with our provider instead of `aws`. */
export class PulumiCli {
  private constructor(
    private readonly folder: string,
    private readonly stateFolder: string,
    private readonly children: ChildProcesses,
    /** Environment variables that the CLI needs besides the user's own. */
    readonly variables: Readonly<Record<string, string>>,
  ) {}

  /**
   * @param providerPort Where a resource provider listens, on 127.0.0.1.
   * @param children Gets each process of the CLI.
   * @throws Error if the CLI is missing, or if the stack's file is the user's or belongs to a run that has not ended.
   */
  static async create(
    folder: string,
    config: StackConfig,
    providerPort: number,
    children: ChildProcesses,
  ): Promise<PulumiCli> {
    refuseMissing();
    const stackFile = join(folder, `Pulumi.${stackName}.yaml`);
    removeStale(stackFile);
    const stateFolder = await mkdtemp(join(tmpdir(), "relay-engine-"));
    const cli = new PulumiCli(folder, stateFolder, children, {
      PULUMI_BACKEND_URL: pathToFileURL(stateFolder).href,
      PULUMI_STACK: stackName,
      PULUMI_CONFIG_PASSPHRASE: "local",
      PULUMI_DEBUG_PROVIDERS: `aws:${providerPort}`,
    });
    const values = Object.entries(config.values).map(([key, value]) => [`${config.project}:${key}`, value]);
    try {
      const comment = `# Written by npm run engine (process ${process.pid}), and removed when it ends.\n`;
      // Not over the file of a run that started at the same moment.
      writeFileSync(stackFile, comment + stringify({ config: Object.fromEntries(values) as object }), { flag: "wx" });
    } catch (error) {
      rmSync(stateFolder, { recursive: true });
      throw error;
    }
    try {
      await cli.read("stack", "init", stackName, "--no-select", "--non-interactive");
    } catch (error) {
      cli.remove();
      throw error;
    }
    return cli;
  }

  /** Runs one command on the user's terminal, and answers its exit code. */
  async run(args: readonly string[]): Promise<number> {
    const child = this.children.start("pulumi", args, { cwd: this.folder, env: this.environment, stdio: "inherit" });
    const [code] = (await once(child, "close")) as [number | null];
    return code ?? 1;
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.read("stack", "output", "--json", "--show-secrets")) as Record<string, unknown>;
  }

  remove(): void {
    rmSync(this.stateFolder, { recursive: true, force: true });
    rmSync(join(this.folder, `Pulumi.${stackName}.yaml`), { force: true });
  }

  // Asynchronous: the provider that the CLI talks to lives in this process.
  private async read(...args: string[]): Promise<string> {
    const child = this.children.start("pulumi", args, {
      cwd: this.folder,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout as Readable),
      text(child.stderr as Readable),
      once(child, "close") as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
    return stdout;
  }

  private get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.variables };
  }
}

/** Removes the file of a run that was killed. */
function removeStale(stackFile: string): void {
  if (!existsSync(stackFile)) return;
  const [, pid] = firstLine.exec(readFileSync(stackFile, "utf8")) ?? [];
  if (pid === undefined) {
    throw new Error(`${stackFile} exists, and npm run engine did not write it. Fix: give that stack another name`);
  }
  if (isRunning(Number(pid))) {
    throw new Error(
      `${stackFile} belongs to another npm run engine, which is running (process ${pid}). ` +
        "Fix: end it with Ctrl-C, or delete the file if that process is another program",
    );
  }
  rmSync(stackFile);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function refuseMissing(): void {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const names = process.platform === "win32" ? ["pulumi.exe"] : ["pulumi"];
  if (names.some((name) => folders.some((folder) => existsSync(join(folder, name))))) return;
  throw new Error(
    "pulumi was not found on PATH. Fix: install the CLI, https://www.pulumi.com/docs/iac/download-install/ (npm start needs none)",
  );
}
