import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { type Block } from "./blocks";
import { builtRepository, copyRepository } from "../support/builtRepository";
import { packageEntries } from "./packageEntries";
import { CALL, endAll, Playing } from "./playing";
import { pathWith } from "./tools";
import { repository } from "../support/repository";

/** What a block finds: values, and functions by what they answer, each call of which is told. Both are global. */
export interface Surroundings {
  values?: Record<string, unknown>;
  functions?: Record<string, unknown>;
}

/** A folder in which a block runs. */
export class Stage {
  constructor(readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "docs-")))) {
    stages.push(this);
  }

  /** A folder with the repository's packages, as they are after `npm ci`. */
  static withPackages(): Stage {
    const stage = new Stage();
    stage.link("node_modules", join(repository, "node_modules"));
    return stage;
  }

  /** A copy of the repository, whose `npm run build` meets no other's. */
  static ofRepository(): Stage {
    const stage = new Stage();
    copyRepository(stage.folder);
    return stage;
  }

  /** The same after `npm run build`, once for all scenes. */
  static async builtRepository(): Promise<Stage> {
    const stage = new Stage(await builtRepository());
    stages.splice(stages.indexOf(stage), 1);
    return stage;
  }

  /** Puts the package into `folder`, out of the stage that built it, as npm does. */
  install(built: Stage, folder = "."): void {
    this.link(join(folder, "node_modules/pulumi-websocket-relay"), built.folder);
  }

  link(path: string, target: string): void {
    const file = join(this.folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    symlinkSync(target, file);
  }

  write(path: string, text: string): string {
    const file = join(this.folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** An executable; what is in `bin` comes first on the PATH of the stage's shell. */
  command(path: string, script: string): void {
    chmodSync(this.write(path, script), 0o755);
  }

  /** A block of TypeScript or JavaScript, on this Node or another. */
  async module(block: Block, surroundings: Surroundings, { node = process.execPath, env = {} } = {}): Promise<Playing> {
    await this.bundle(block.text, "block.mjs");
    return this.start(block, node, [this.main("block.mjs", surroundings)], env);
  }

  /** Compiles TypeScript or JavaScript to an ES module. Its imports of the package are its sources. */
  async bundle(contents: string, outfile: string): Promise<void> {
    await build({
      stdin: { contents, loader: "ts", resolveDir: this.folder },
      outfile: join(this.folder, outfile),
      alias: packageEntries(),
      bundle: true,
      packages: "external",
      format: "esm",
      platform: "node",
    });
  }

  /** What gives a module its surroundings and loads it, as an ES module of its own. */
  main(module: string, { values = {}, functions = {} }: Surroundings): string {
    return this.write(
      "main.mjs",
      `Object.assign(globalThis, ${JSON.stringify(values)});
for (const [name, answer] of ${JSON.stringify(Object.entries(functions))}) {
  globalThis[name] = (...args) => {
    console.log(${JSON.stringify(CALL)} + JSON.stringify({ name, args }));
    return answer;
  };
}
await import("./${module}");
`,
    );
  }

  /** A block of shell commands, which fails where one of them does. What it leaves in the background ends with it. */
  shell(block: Block, env: NodeJS.ProcessEnv = {}, folder = "."): Playing {
    return this.start(block, "bash", ["-e", "-o", "pipefail", "-c", block.text], env, folder);
  }

  start(block: Block, command: string, args: string[], env: NodeJS.ProcessEnv, folder = "."): Playing {
    // Without what the user, or the npm that runs these tests, has set.
    const inherited = Object.entries(process.env).filter(([key]) => !/^(AWS|PULUMI|npm|TS_NODE)_/i.test(key));
    const PATH = pathWith(join(this.folder, "bin"));
    const cwd = resolve(this.folder, folder);
    return Playing.start(block, command, args, { cwd, env: { ...Object.fromEntries(inherited), PATH, ...env } });
  }
}

const stages: Stage[] = [];

/** @returns What the blocks said that were still running. */
export function removeStages(): string[] {
  const running = endAll();
  stages.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true, force: true }));
  return running;
}
