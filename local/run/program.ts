import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { parse } from "yaml";

/** A project's program: the file to load, and the folder that it runs in. */
export interface ProgramEntry {
  folder: string;
  /** A file, with or without its extension, or a folder with an index. */
  path: string;
}

/**
 * Finds a project's program as the CLI does: `main` of Pulumi.yaml, a file or a folder; without it the entry of package.json,
 * else the project's index. https://www.pulumi.com/docs/iac/concepts/projects/project-file/
 *
 * @throws Error that names what of Pulumi.yaml or package.json cannot be run, and what can.
 */
export function programEntry(projectFolder: string): ProgramEntry {
  const { main, runtime } = parse(readFileSync(join(projectFolder, "Pulumi.yaml"), "utf8")) as {
    main?: string;
    runtime?: string | { name?: string };
  };
  const language = typeof runtime === "object" ? runtime.name : runtime;
  if (language !== "nodejs") {
    throw new Error(
      `Pulumi.yaml: runtime is ${JSON.stringify(language)}; allowed: nodejs, the only one that runs locally`,
    );
  }
  const entry = main ? fromMain(projectFolder, main) : { folder: projectFolder, path: packageEntry(projectFolder) };
  refuseModules(entry.folder);
  return entry;
}

function fromMain(projectFolder: string, main: string): ProgramEntry {
  const refuse = (why: string) =>
    new Error(`Pulumi.yaml: main is ${JSON.stringify(main)}, ${why}; allowed: a file or folder inside the project`);
  const path = resolve(projectFolder, main);
  if (isAbsolute(main)) throw refuse("an absolute path");
  if (relative(projectFolder, path).split(sep)[0] === "..") throw refuse("outside the project");
  const file = ["", ".js", ".ts"].map((extension) => path + extension).find(existsSync);
  if (!file) throw refuse("which does not exist");
  return statSync(file).isDirectory()
    ? { folder: file, path: packageEntry(file) }
    : { folder: dirname(file), path: file };
}

/** The entry that a folder's package.json names. An entry that does not exist is ignored, as the CLI does. */
function packageEntry(folder: string): string {
  const { exports, main } = packageOf(folder) as { exports?: unknown; main?: string };
  const root = typeof exports === "object" && exports !== null ? (exports as Record<string, unknown>)["."] : exports;
  const conditions = (typeof root === "object" && root !== null ? root : { default: root }) as Record<string, unknown>;
  const named = exports === undefined ? main : (conditions.default ?? conditions.require ?? conditions.import);
  return typeof named === "string" && existsSync(join(folder, named)) ? join(folder, named) : join(folder, "index");
}

function refuseModules(folder: string): void {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) {
      if (packageOf(at).type !== "module") return;
      throw new Error(
        `${join(basename(at), "package.json")}: type is "module"; allowed: a CommonJS program, the only kind that runs ` +
          "locally (the pulumi CLI runs both)",
      );
    }
    if (dirname(at) === at) return;
  }
}

function packageOf(folder: string): Record<string, unknown> {
  const file = join(folder, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>) : {};
}

/** Runs a program in its folder, and resolves with its exports. An exported function is called, and its result counts as the exports. */
export async function exportsOf({ folder, path }: ProgramEntry): Promise<unknown> {
  process.chdir(folder);
  const exported = require(path) as unknown;
  return typeof exported === "function" ? (exported as () => unknown)() : exported;
}
