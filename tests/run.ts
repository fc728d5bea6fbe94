import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import pLimit from "p-limit";
import { isPulumiInstalled } from "./engine/programCopy";
import { BUILT_REPOSITORY, builtRepository } from "./support/builtRepository";

/*
 * `npm test`: all tests, in several mocha processes at a time. `npm test -- handlers local`: those in these folders of tests.
 *
 * A folder is one process, whose files share what they load. Where tests start processes and wait, each file is one.
 */

const repository = resolve(__dirname, "..");

/** Folders whose files run apart, those first that take longest. */
const apart = ["property", "package", "engine", "docs", "endToEnd", "bench", "examples"];

/** Those that read the built repository. */
const readsBuilt = /^tests\/(package|engine|docs)\//;

const slots = pLimit(availableParallelism() + 1);
const running = new Set<ChildProcess>();
const failed: string[] = [];

async function run(named: string[]): Promise<void> {
  const folders = named.length > 0 ? named : allFolders();
  const hasEngine = isPulumiInstalled();
  if (!hasEngine && named.includes("engine")) throw new Error(withoutEngine);
  const jobs = folders.flatMap((folder) => (folder === "engine" && !hasEngine ? [] : jobsOf(folder)));
  const built = jobs.some(([name]) => readsBuilt.test(name)) ? slots(builtRepository) : undefined;
  await Promise.all(
    jobs.map(async ([name, files]) => {
      const env = readsBuilt.test(name) ? { [BUILT_REPOSITORY]: await built } : {};
      await slots(() => play(name, files, env));
    }),
  );
  if (!hasEngine && named.length === 0) console.log(`Left out: ${withoutEngine}`);
  if (failed.length === 0) return;
  console.log(`Failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

const withoutEngine =
  "the tests in tests/engine need the pulumi CLI on PATH: https://www.pulumi.com/docs/iac/download-install/";

/** What mocha runs in one process: by name, the files. */
function jobsOf(folder: string): [name: string, files: string[]][] {
  const files = readdirSync(join(__dirname, folder), { recursive: folder !== ".", encoding: "utf8" })
    .filter((file) => file.endsWith(folder === "engine" ? ".engine.ts" : ".test.ts"))
    .map((file) => join("tests", folder, file))
    .sort();
  return apart.includes(folder) ? files.map((file) => [file, [file]]) : [[join("tests", folder), files]];
}

/** Prints what mocha printed, once it has ended: jobs do not mix. */
async function play(name: string, files: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const start = performance.now();
  const color = process.stdout.isTTY ? ["--color"] : [];
  const child = spawn(process.execPath, ["node_modules/mocha/bin/mocha.js", ...color, ...files], {
    cwd: repository,
    env: { ...process.env, ...env },
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
  return [...apart, ...others, "."].filter((folder) => jobsOf(folder).some(([, files]) => files.length > 0));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    slots.clearQueue();
    running.forEach((child) => child.kill(signal));
    process.exitCode = 1;
  });
}

run(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
