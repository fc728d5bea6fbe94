import { execFile } from "node:child_process";
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

/**
 * Another team's program, in `program`, that has the packed package installed, beside a web framework, packages that the
 * relay's functions have in other versions, and the oldest @pulumi/* that the package takes.
 */
export class Consumer {
  private constructor(private readonly root: string) {}

  static async install(): Promise<Consumer> {
    // Its real path, as a module's own folder is.
    const consumer = new Consumer(realpathSync(mkdtempSync(join(tmpdir(), "package-"))));
    const built = await builtRepository();
    const tarball = join(built, readdirSync(built).find((name) => name.endsWith(".tgz")) ?? "");
    cpSync(join(__dirname, "program"), consumer.folder, { recursive: true });
    const { devDependencies, peerDependencies } = manifest;
    const oldest = Object.entries(peerDependencies).map(([name, range]) => [name, range.replace("^", "")]);
    const dependencies = {
      [manifest.name]: `file:${tarball}`,
      ...Object.fromEntries(oldest),
      fastify: devDependencies.fastify,
      jose: devDependencies.jose,
      cookie: "0.7.2",
      "p-limit": "3.1.0",
      "ts-node": devDependencies["ts-node"],
      typescript: devDependencies.typescript,
      "@types/node": devDependencies["@types/node"],
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
  node(args: string[], folder = this.folder): Promise<string> {
    return run(process.execPath, args, folder);
  }

  async runProgram(folder = this.folder): Promise<Program> {
    return JSON.parse(await this.node(["-r", "ts-node/register", "runUnderMocks.js"], folder)) as Program;
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
