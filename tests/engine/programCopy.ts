import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";

const repository = resolve(__dirname, "../..");

/** What `pulumi up` needs of a program's folder. */
const program = [
  "index.ts",
  "components",
  "handlers",
  "Pulumi.yaml",
  "Pulumi.dev.yaml",
  "Pulumi.prod.yaml",
  "package.json",
  "tsconfig.json",
];

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
}

/** Whether the CLI, with its language host for Node, is on PATH. */
export function isPulumiInstalled(): boolean {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return ["pulumi", "pulumi-language-nodejs"].every((file) => folders.some((folder) => existsSync(join(folder, file))));
}

/**
 * A copy of this repository's program with a state of its own, and the CLI in it: a run writes into the stack's file.
 * Nothing of the user's own Pulumi or AWS settings reaches it.
 */
export class ProgramCopy {
  private constructor(
    private readonly root: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** @param providerPort Where the provider listens that stands in for `aws`. */
  static async create(providerPort: number): Promise<ProgramCopy> {
    const root = await mkdtemp(join(tmpdir(), "engine-"));
    const folder = join(root, "program");
    for (const name of program) await cp(join(repository, name), join(folder, name), { recursive: true });
    await symlink(join(repository, "node_modules"), join(folder, "node_modules"));
    for (const name of ["state", "home"]) await mkdir(join(root, name));

    const own = Object.entries(process.env).filter(([key]) => !/^(PULUMI|AWS)_/.test(key));
    return new ProgramCopy(root, {
      ...Object.fromEntries(own),
      PULUMI_BACKEND_URL: `file://${join(root, "state")}`,
      PULUMI_HOME: join(root, "home"),
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
      // Where the language host finds the SDK.
      PULUMI_PROGRAM_ROOT: folder,
      PULUMI_DEBUG_PROVIDERS: `aws:${providerPort}`,
    });
  }

  get folder(): string {
    return join(this.root, "program");
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

  async pulumiJson<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.pulumi(...args, "--json")) as T;
  }

  /** Every step that a preview announces, those included in which a resource stays the same. */
  async preview(): Promise<Step[]> {
    const { steps } = await this.pulumiJson<{ steps: RawStep[] }>("preview");
    return asSteps(steps);
  }

  /** The steps that change something, as `up` takes them. */
  async up(): Promise<Step[]> {
    const lines = (await this.pulumi("up", "--yes", "--skip-preview", "--json")).trim().split("\n");
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

  // Asynchronous: the provider that the CLI talks to lives in this process.
  private async run(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
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
