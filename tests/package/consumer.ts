import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { builtRepository } from "../support/builtRepository";
import { repository } from "../support/repository";

const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
  name: string;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};

/** What a program registered and exports, as `runUnderMocks.js` prints it. */
export interface Program {
  registrations: { type: string; name: string; inputs: Record<string, unknown> }[];
  exported: Record<string, unknown>;
}

/** The files of a function's archive. */
export type Code = Record<string, string>;

/** What a program registered of a function. */
export function functionIn({ registrations }: Program, name: string): { code: Code; environment: { variables: Code } } {
  const found = registrations.find((each) => each.type === "aws:lambda/function:Function" && each.name === name);
  if (!found) throw new Error(`no function ${name} was registered`);
  return found.inputs as ReturnType<typeof functionIn>;
}

/** By file; the texts themselves would make failures unreadable. */
export function hashesOf(code: Code): Record<string, string> {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  return Object.fromEntries(Object.entries(code).map(([file, text]) => [file, hash(text)]));
}

/** Versions by package: of what the package takes from its consumer, and of the tools that run and compile a program. */
export type Toolchain = Record<string, string>;

/** The oldest @pulumi/* that the package takes, with this repository's tools. */
const oldest: Toolchain = Object.fromEntries([
  ...Object.entries(manifest.peerDependencies).map(([name, range]) => [name, range.replace("^", "")]),
  // What @ag-ui/core takes, too.
  ...["ts-node", "typescript", "@types/node", "zod"].map((name) => [name, manifest.devDependencies[name]]),
]);

/**
 * Another team's program, in `program`, that has the packed package installed, next to a web framework and packages that the
 * relay's functions have in other versions.
 */
export class Consumer {
  private constructor(private readonly root: string) {}

  static async install(toolchain = oldest): Promise<Consumer> {
    // Its real path, as a module's own folder is.
    const consumer = new Consumer(realpathSync(mkdtempSync(join(tmpdir(), "package-"))));
    const built = await builtRepository();
    const tarball = join(built, readdirSync(built).find((name) => name.endsWith(".tgz")) ?? "");
    cpSync(join(__dirname, "program"), consumer.folder, { recursive: true });
    const { devDependencies } = manifest;
    const dependencies = {
      [manifest.name]: `file:${tarball}`,
      ...toolchain,
      fastify: devDependencies.fastify,
      jose: devDependencies.jose,
      cookie: "0.7.2",
      "p-limit": "3.1.0",
      ws: devDependencies.ws,
      "@types/ws": devDependencies["@types/ws"],
    };
    writeFileSync(
      join(consumer.folder, "package.json"),
      JSON.stringify({ name: "consumer", private: true, dependencies }),
    );
    const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
    await run("npm", ["install", ...flags], consumer.folder);
    return consumer;
  }

  get folder(): string {
    return join(this.root, "consumer");
  }

  /** The package, as installed. */
  get packageFolder(): string {
    return join(this.folder, "node_modules", manifest.name);
  }

  /**
   * Makes packages of the repository's there too.
   *
   * @returns The first one's folder.
   */
  link(...names: [string, ...string[]]): string {
    const folders = names.map((name) => join(this.folder, "node_modules", name));
    for (const [index, folder] of folders.entries()) {
      mkdirSync(dirname(folder), { recursive: true });
      symlinkSync(join(repository, "node_modules", names[index] ?? ""), folder);
    }
    return folders[0] ?? "";
  }

  /**
   * The same program in a workspace, as `npm install` lays it out: the package is a link in node_modules to its own folder,
   * whose dependencies are in the workspace's node_modules.
   *
   * @returns The program's folder.
   */
  linkWorkspace(): string {
    const workspace = join(this.root, "workspace");
    const installed = join(this.folder, "node_modules");
    const linked = join(workspace, "node_modules");
    mkdirSync(linked, { recursive: true });
    for (const name of readdirSync(installed)) symlinkSync(join(installed, name), join(linked, name));
    rmSync(join(linked, manifest.name));
    cpSync(join(installed, manifest.name), join(workspace, "packages/relay"), { recursive: true });
    symlinkSync("../packages/relay", join(linked, manifest.name));
    const program = join(workspace, "packages/program");
    cpSync(join(__dirname, "program"), program, { recursive: true });
    return program;
  }

  /** What Node prints in `folder`; rejects with all it wrote where it fails. */
  node(args: string[], folder = this.folder, node = process.execPath): Promise<string> {
    return run(node, args, folder);
  }

  async runProgram(folder = this.folder, node = process.execPath): Promise<Program> {
    return JSON.parse(await this.node(["-r", "ts-node/register", "runUnderMocks.js"], folder, node)) as Program;
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

async function run(command: string, args: string[], cwd: string): Promise<string> {
  // Without what an npm that runs these tests says to those that it starts.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
  const options = { cwd, env, maxBuffer: 2 ** 26 };
  return (
    await promisify(execFile)(command, args, options).catch((error: Error & { stdout: string; stderr: string }) => {
      throw new Error(`${command} ${args.join(" ")} failed in ${cwd}:\n${error.stdout}\n${error.stderr}`);
    })
  ).stdout;
}
