import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const repository = resolve(__dirname, "..");
const run = promisify(execFile);

/** A folder with a commit's files and this checkout's measuring code. */
export interface Checkout {
  folder: string;
  /** The full hash. */
  commit: string;
}

/**
 * Runs `work` with a commit's files in a temporary folder, in which `bench/` is this checkout's: so both commits are measured by
 * the same script. Packages are shared with this checkout if the lock file is the same; otherwise they are installed.
 *
 * @throws if the commit is unknown
 */
export async function withCheckout<T>(commit: string, work: (checkout: Checkout) => Promise<T>): Promise<T> {
  const hash = await hashOf(commit);
  const folder = mkdtempSync(join(tmpdir(), "relay-bench-base-"));
  try {
    const archive = join(folder, "archive.tar");
    await run("git", ["archive", "--output", archive, hash], { cwd: repository });
    await run("tar", ["-xf", archive, "-C", folder]);
    rmSync(archive);
    rmSync(join(folder, "bench"), { recursive: true, force: true });
    cpSync(__dirname, join(folder, "bench"), { recursive: true });
    if (lockFileIn(folder) === lockFileIn(repository)) {
      symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
    } else {
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
    }
    return await work({ folder, commit: hash });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function hashOf(commit: string): Promise<string> {
  try {
    const { stdout } = await run("git", ["rev-parse", "--verify", `${commit}^{commit}`], { cwd: repository });
    return stdout.trim();
  } catch (error) {
    throw new Error(`--base ${commit}: got no commit of this repository. Fix: name one, or pass --no-base`, {
      cause: error,
    });
  }
}

function lockFileIn(folder: string): string {
  return readFileSync(join(folder, "package-lock.json"), "utf8");
}
