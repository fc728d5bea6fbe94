import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { isPulumiInstalled } from "./engine/programCopy";
import { BUILT_REPOSITORY, builtRepository } from "./support/builtRepository";

/*
 * `npm test`: all tests, in several mocha processes at a time. `npm test -- handlers local`: those in these folders of tests.
 *
 * A folder is one process, whose files share what they load. Where tests start processes and wait, each file is one.
 */

const repository = resolve(__dirname, "..");

/** Folders whose files run apart, those first that take longest. */
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
  const hasEngine = isPulumiInstalled();
  if (!hasEngine && named.includes("engine")) throw new Error(withoutEngine);
  const without = named.find((folder) => !existsSync(join(__dirname, folder)) || jobsOf(folder).length === 0);
  if (without !== undefined)
    throw new Error(`tests/${without} has no tests; allowed: a folder of tests, as in npm test -- local`);
  jobs = (named.length > 0 ? named : allFolders()).flatMap(jobsOf);
  if (!hasEngine) jobs = jobs.filter(({ name }) => !name.startsWith("tests/engine/"));

  const env: NodeJS.ProcessEnv = { ...process.env };
  const built = jobs.some(({ readsBuilt }) => readsBuilt)
    ? builtRepository().then((folder) => (env[BUILT_REPOSITORY] = folder))
    : undefined;
  built?.catch(() => undefined);
  const work = async () => {
    while (jobs.length > 0) {
      const next = jobs.findIndex(({ readsBuilt }) => !readsBuilt || BUILT_REPOSITORY in env);
      if (next === -1) await built;
      else for (const job of jobs.splice(next, 1)) await play(job, env);
    }
  };
  // More than there are cores: what starts processes also waits.
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));

  if (!hasEngine && named.length === 0) console.log(`Left out: ${withoutEngine}`);
  if (failed.length === 0) return;
  console.log(`Failed: ${failed.join(", ")}`);
  process.exitCode = 1;
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

/** Prints what mocha printed, once it has ended: jobs do not mix. */
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

/** Each folder of tests, and "." for the files beside them. */
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
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
