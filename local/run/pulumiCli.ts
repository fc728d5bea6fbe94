import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import type { StackConfig } from "./stackConfig";

/** The stack that the CLI sees. Its file is written here: the CLI adds a salt to it, which no file of the user's should get. */
export const stackName = "engine";
const firstLine = "# Written by npm run engine, and removed when it ends.\n";

/** The real pulumi CLI in a program's folder, with its own state, and with our provider instead of `aws`. */
export class PulumiCli {
  private constructor(
    private readonly folder: string,
    private readonly stateFolder: string,
    /** Environment variables that the CLI needs besides the user's own. */
    readonly variables: Readonly<Record<string, string>>,
  ) {}

  /**
   * @param providerPort Where a resource provider listens, on 127.0.0.1.
   * @throws Error where the CLI is missing, or where the program's folder has a file of the stack that is the user's.
   */
  static async create(folder: string, config: StackConfig, providerPort: number): Promise<PulumiCli> {
    refuseMissing();
    const stackFile = join(folder, `Pulumi.${stackName}.yaml`);
    if (existsSync(stackFile) && !readFileSync(stackFile, "utf8").startsWith(firstLine)) {
      throw new Error(`${stackFile} exists, and npm run engine did not write it. Fix: give that stack another name`);
    }
    const stateFolder = await mkdtemp(join(tmpdir(), "relay-engine-"));
    const cli = new PulumiCli(folder, stateFolder, {
      PULUMI_BACKEND_URL: pathToFileURL(stateFolder).href,
      PULUMI_STACK: stackName,
      PULUMI_CONFIG_PASSPHRASE: "local",
      PULUMI_DEBUG_PROVIDERS: `aws:${providerPort}`,
    });
    const values = Object.entries(config.values).map(([key, value]) => [`${config.project}:${key}`, value]);
    writeFileSync(stackFile, firstLine + stringify({ config: Object.fromEntries(values) as object }));
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
    const child = spawn("pulumi", args, { cwd: this.folder, env: this.environment, stdio: "inherit" });
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
    const child = spawn("pulumi", args, {
      cwd: this.folder,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
    return stdout;
  }

  private get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.variables };
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
