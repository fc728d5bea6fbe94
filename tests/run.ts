import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isPulumiInstalled } from "./engine/programCopy";
import { BUILT_REPOSITORY, builtRepository } from "./support/builtRepository";
import { repository } from "./support/repository";

/*
 * `npm test`: all tests, in several mocha processes at a time. `npm test -- handlers local`: those in these folders of tests.
 *
 * A folder is one process, so that its files share loaded modules. In folders whose tests start processes and wait, each
 * file is a process.
 */

/** Folders with a process for each file. The slowest come first. */
const apart = ["package", "engine", "docs", "property", "endToEnd", "bench", "examples"];

/** What mocha runs in one process. */
interface Job {
  name: string;
  files: string[];
  /** Whether its tests read the built repository. */
  readsBuilt: boolean;
}

const running = new Set<ChildProcess>();
const failed: string[] = [];
let jobs: Job[] = [];

async function run(named: string[]): Promise<void> {
  const folders = named.length > 0 ? named.map(folderNamed) : allFolders();
  const hasEngine = isPulumiInstalled();
  if (!hasEngine && named.length > 0 && folders.includes("engine")) throw new Error(withoutEngine);
  jobs = folders.flatMap(jobsOf);
  if (!hasEngine) jobs = jobs.filter(({ name }) => !name.startsWith("tests/engine/"));

  const env: NodeJS.ProcessEnv = { ...process.env };
  let buildError: unknown;
  const built = jobs.some(({ readsBuilt }) => readsBuilt)
    ? builtRepository().then(
        (folder) => (env[BUILT_REPOSITORY] = folder),
        (error: unknown) => (buildError = error),
      )
    : undefined;
  const work = async () => {
    while (jobs.length > 0) {
      const next = jobs.findIndex(
        ({ readsBuilt }) => !readsBuilt || BUILT_REPOSITORY in env || buildError !== undefined,
      );
      if (next === -1) await built;
      for (const job of next === -1 ? [] : jobs.splice(next, 1)) {
        if (job.readsBuilt && buildError !== undefined) failed.push(job.name);
        else await play(job, env);
      }
    }
  };
  // More than there are cores: tests that start processes also wait.
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));

  if (!hasEngine && named.length === 0) console.log(`Left out: ${withoutEngine}`);
  if (buildError !== undefined) console.log(`The build failed: ${messageOf(buildError)}`);
  if (failed.length === 0) return;
  console.log(`Failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

/** @throws Error if the folder has no tests. */
function folderNamed(given: string): string {
  const folder = given.replace(/\/+$/, "");
  const path = join(__dirname, folder);
  if (existsSync(path) && statSync(path).isFile()) {
    throw new Error(`tests/${folder} is a file; allowed: a folder of tests. Fix: run npx mocha tests/${folder}`);
  }
  if (folder === "" || !existsSync(path) || jobsOf(folder).length === 0) {
    throw new Error(`tests/${folder} has no tests; allowed: a folder of tests, as in npm test -- local`);
  }
  return folder;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const withoutEngine =
  "the tests in tests/engine need the pulumi CLI on PATH: https://www.pulumi.com/docs/iac/download-install/";

function jobsOf(folder: string): Job[] {
  const files = readdirSync(join(__dirname, folder), { recursive: folder !== ".", encoding: "utf8" })
    .filter((file) => file.endsWith(folder === "engine" ? ".engine.ts" : ".test.ts"))
    .map((file) => join("tests", folder, file))
    .sort();
  const readsBuilt = ["package", "engine", "docs"].includes(folder);
  if (apart.includes(folder)) return files.map((file) => ({ name: file, files: [file], readsBuilt }));
  return files.length > 0 ? [{ name: join("tests", folder), files, readsBuilt }] : [];
}

/** Prints mocha's output when it has ended, so that the outputs of jobs do not mix. */
async function play({ name, files }: Job, env: NodeJS.ProcessEnv): Promise<void> {
  const start = performance.now();
  const color = process.stdout.isTTY ? ["--color"] : [];
  const child = spawn(process.execPath, ["node_modules/mocha/bin/mocha.js", ...color, ...files], {
    cwd: repository,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => printed.push(data));
  const [code] = (await once(child, "close")) as [number | null];
  running.delete(child);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`\n${"─".repeat(4)} ${name}, ${seconds} s\n${Buffer.concat(printed).toString()}`);
  if (code !== 0) failed.push(name);
}

/** Each folder of tests, and "." for the files next to them. */
function allFolders(): string[] {
  const folders = readdirSync(__dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const others = folders.map(({ name }) => name).filter((name) => !apart.includes(name));
  return [...apart, ...others, "."];
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    jobs = [];
    running.forEach((child) => child.kill(signal));
    process.exitCode = 1;
  });
}

run(process.argv.slice(2)).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
