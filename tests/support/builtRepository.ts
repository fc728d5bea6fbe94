import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { repository } from "./repository";

/** Where `npm test` says to its processes which folder it has built for all of them. */
export const BUILT_REPOSITORY = "BUILT_REPOSITORY";

let built: Promise<string> | undefined;

/** A copy of the repository in which `npm pack` has built the package and put its tarball: one for all tests, to be read only. */
export function builtRepository(): Promise<string> {
  const ofAll = process.env[BUILT_REPOSITORY];
  return (built ??= ofAll === undefined ? build() : Promise.resolve(ofAll));
}

async function build(): Promise<string> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "built-")));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  copyRepository(folder);
  // Without what an npm that runs these tests says to those that it starts.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
  await promisify(execFile)("npm", ["pack"], { cwd: folder, env, maxBuffer: 2 ** 26 });
  return folder;
}

/** Makes the folder what the repository is after `npm ci`. */
export function copyRepository(folder: string): void {
  const left = /^(node_modules|dist|dist-packages|\.git|[^/]+\.tgz)$/;
  cpSync(repository, folder, {
    recursive: true,
    filter: (path) => !left.test(path.slice(repository.length + 1)),
  });
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
}
