import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import * as typescript from "typescript";
import { repository } from "./repository";

/** The source files of a folder of the repository, or the file of that name. */
export function filesOf(layer: string): string[] {
  const path = join(repository, layer);
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    if (entry.isDirectory()) return filesOf(join(layer, entry.name));
    return /\.(ts|mts|js)$/.test(entry.name) ? [join(path, entry.name)] : [];
  });
}

/** Whatever a file imports, exports from or requires, types too, as written. */
export function importsOf(file: string): string[] {
  const { importedFiles } = typescript.preProcessFile(readFileSync(file, "utf8"), true, true);
  return importedFiles.map(({ fileName }) => fileName);
}

/** The repository's own files that each file imports, all by their path in the repository. */
export function importGraph(files: readonly string[]): Map<string, string[]> {
  const imported = (file: string) =>
    importsOf(file).flatMap((path) => (path.startsWith(".") ? (fileAt(resolve(dirname(file), path)) ?? []) : []));
  const named = (file: string) => relative(repository, file);
  return new Map(files.map((file) => [named(file), [...new Set(imported(file))].map(named)]));
}

/** Files that import each other, directly or through others: each group sorted. */
export function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const reached = new Map([...graph.keys()].map((file) => [file, reachedFrom(file, graph)]));
  const inCycle = [...graph.keys()].filter((file) => reached.get(file)?.has(file));
  const groups = inCycle.map((file) =>
    inCycle.filter((other) => reached.get(file)?.has(other) && reached.get(other)?.has(file)),
  );
  return [...new Map(groups.map((group) => [group.sort().join(), group])).values()];
}

function reachedFrom(file: string, graph: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set(graph.get(file));
  // A set's iteration goes on to the members that are added meanwhile.
  for (const each of reached) for (const next of graph.get(each) ?? []) reached.add(next);
  return reached;
}

function fileAt(path: string): string | undefined {
  const candidates = [path, `${path}.ts`, `${path}.d.ts`, `${path}.js`, join(path, "index.ts")];
  return candidates.find((each) => existsSync(each) && statSync(each).isFile());
}
