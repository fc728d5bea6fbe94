import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { repository } from "../support/repository";

/** Where a program and its packages are copied from. */
export interface ProgramSource {
  folder: string;
  /** What `pulumi up` needs of the folder. */
  names: string[];
  nodeModules: string;
}

export const thisProgram: ProgramSource = {
  folder: repository,
  names: [
    "index.ts",
    "components",
    "handlers",
    "protocol",
    "Pulumi.yaml",
    "Pulumi.dev.yaml",
    "Pulumi.prod.yaml",
    "package.json",
    "tsconfig.json",
    "transpile.js",
  ],
  nodeModules: join(repository, "node_modules"),
};

/** This program with what its npm scripts run. */
export const thisRepository: ProgramSource = {
  ...thisProgram,
  names: [...thisProgram.names, "backend", "client", "docs", "local"],
};

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface RawStep {
  op: string;
  urn: string;
}

/** What happens to the resource of that name: "create", "update", "same", … */
export interface Step {
  op: string;
  name: string;
}

export interface Resource {
  urn: string;
  type: string;
  id?: string;
  protect?: boolean;
}

/** Whether the CLI, with its language host for Node, is on PATH. */
export function isPulumiInstalled(): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return ["pulumi", "pulumi-language-nodejs"].every((file) => folders.some((folder) => existsSync(join(folder, file))));
}

/**
 * A copy of a program with a state of its own, and the CLI in it: a run writes into the stack's file. Nothing of the user's
 * own Pulumi or AWS settings reaches it.
 */
export class ProgramCopy {
  private constructor(
    private readonly root: string,
    readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** @param providerPort The port of the provider that replaces `aws`. */
  static async create(providerPort: number, source = thisProgram): Promise<ProgramCopy> {
    // Its real path, as a module's own folder is.
    const root = await realpath(await mkdtemp(join(tmpdir(), "engine-")));
    for (const name of ["program", "state", "home"]) await mkdir(join(root, name));

    const own = Object.entries(process.env).filter(([key]) => !/^(PULUMI|AWS)_/.test(key));
    const transpile = source.names.filter((name) => name === "transpile.js").map((name) => join(root, "program", name));
    const preloaded = [join(__dirname, "endOnInterrupt.js"), ...transpile];
    const copy = new ProgramCopy(root, {
      ...Object.fromEntries(own),
      PULUMI_BACKEND_URL: `file://${join(root, "state")}`,
      PULUMI_HOME: join(root, "home"),
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
      // Compiling takes longer than running; the types have tests of their own.
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      // Where the language host finds the SDK; the program has its own.
      PULUMI_PROGRAM_ROOT: repository,
      PULUMI_DEBUG_PROVIDERS: `aws:${providerPort}`,
      NODE_OPTIONS: preloaded.map((file) => `--require ${file}`).join(" "),
      // Half of a run would be ts-node's. Other programs are left to it, as a user's are.
      ...(transpile.length > 0 && { TS_NODE_IGNORE: "/" }),
    });
    await copy.fill(source);
    return copy;
  }

  /** Puts another version of the program in the place of this one, which meets the same state and stack file. */
  async upgradeTo(source: ProgramSource): Promise<void> {
    const stackFile = "Pulumi.dev.yaml";
    for (const name of await readdir(this.folder)) {
      if (name !== stackFile) await rm(join(this.folder, name), { recursive: true });
    }
    await this.fill({ ...source, names: source.names.filter((name) => name !== stackFile) });
  }

  get folder(): string {
    return join(this.root, "program");
  }

  /** Puts folders before the others in which the CLI finds its language hosts; none puts back what there was. */
  preferHosts(...folders: string[]): void {
    this.environment.PATH = [...folders, process.env.PATH].join(delimiter);
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** What the CLI writes to stdout; rejects with all it wrote where it fails. */
  async pulumi(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** All that the CLI writes in a run that is to fail; rejects where it succeeds. */
  async pulumiFails(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code === 0) throw new Error(`pulumi ${args.join(" ")} did not fail:\n${stdout}\n${stderr}`);
    return `${stdout}\n${stderr}`;
  }

  /**
   * What a user pastes into a shell in the program's folder, as it is. What `pulumi` asks is answered with yes.
   *
   * @param commands A folder whose commands come before all others.
   */
  async paste(script: string, variables: NodeJS.ProcessEnv = {}, commands?: string): Promise<void> {
    const PATH = [...(commands === undefined ? [] : [commands]), this.environment.PATH].join(delimiter);
    const env = { ...this.environment, PULUMI_SKIP_CONFIRMATIONS: "true", PATH, ...variables };
    const { code, stdout, stderr } = await this.runCommand("bash", ["-e", "-c", script], env);
    if (code !== 0) throw new Error(`the commands ended with ${code}:\n${script}\n${stdout}\n${stderr}`);
  }

  async pulumiJson<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.pulumi(...args, "--json")) as T;
  }

  /** Every step that a preview announces, those included in which a resource stays the same. */
  async preview(): Promise<Step[]> {
    const { steps } = await this.pulumiJson<{ steps: RawStep[] }>("preview");
    return asSteps(steps);
  }

  /** The steps that change something, as `up` takes them. */
  async up(...args: string[]): Promise<Step[]> {
    const lines = (await this.pulumi("up", "--yes", "--skip-preview", "--json", ...args)).trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as { resourcePreEvent?: { metadata: RawStep } });
    const steps = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
    return asSteps(steps).filter(({ op }) => op !== "same");
  }

  /** What the stack's state holds. */
  async resources(): Promise<Resource[]> {
    const state = await this.pulumi("stack", "export");
    return (JSON.parse(state) as { deployment: { resources?: Resource[] } }).deployment.resources ?? [];
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true });
  }

  private async fill({ folder, names, nodeModules }: ProgramSource): Promise<void> {
    for (const name of names) await cp(join(folder, name), join(this.folder, name), { recursive: true });
    await symlink(nodeModules, join(this.folder, "node_modules"));
  }

  private run(args: string[]): Promise<Outcome> {
    return this.runCommand("pulumi", [...args, "--non-interactive", "--color", "never"], this.environment);
  }

  // Asynchronous: the provider that the CLI talks to lives in this process.
  private async runCommand(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
    const child = spawn(command, args, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const end = () => child.kill("SIGINT");
    process.once("exit", end);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    process.off("exit", end);
    return { code, stdout, stderr };
  }
}

/** The logical name in a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** By name; without the engine's own steps for providers. */
function asSteps(steps: RawStep[]): Step[] {
  const ofProgram = steps.filter(({ urn }) => !urn.includes("::pulumi:providers:"));
  return ofProgram
    .map(({ op, urn }) => ({ op, name: nameOf(urn) }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
