import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { builtRepository } from "../support/builtRepository";
import { repository } from "../support/repository";

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
}

/** A folder with the packages for clients and for backends alone: packed, and installed without a registry. */
export class Publishables {
  private constructor(readonly folder: string) {}

  static async install(): Promise<Publishables> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "publishables-")));
    const publishables = new Publishables(folder);
    const packages = join(await builtRepository(), "dist-packages");
    for (const part of ["client", "backend"]) {
      const source = join(packages, part);
      await publishables.run("npm", ["pack", source, "--pack-destination", folder]);
      const installed = join(folder, "node_modules", `pulumi-websocket-relay-${part}`);
      mkdirSync(installed, { recursive: true });
      const tarball = join(folder, `pulumi-websocket-relay-${part}-${manifestIn(source).version}.tgz`);
      await publishables.run("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
    }
    const dependencies = Object.keys(publishables.manifest("backend").dependencies);
    for (const name of [...dependencies, "@types/node"]) publishables.link(name);
    cpSync(join(__dirname, "publishablesProgram"), folder, { recursive: true });
    return publishables;
  }

  /** Files of an installed package, by their paths in it. */
  files(part: "client" | "backend"): string[] {
    const entries = readdirSync(this.packageFolder(part), { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return paths.map((path) => path.slice(this.packageFolder(part).length + 1));
  }

  manifest(part: "client" | "backend"): Manifest {
    return manifestIn(this.packageFolder(part));
  }

  packageFolder(part: "client" | "backend"): string {
    return join(this.folder, "node_modules", `pulumi-websocket-relay-${part}`);
  }

  /** What the command prints; rejects with all it wrote where it fails. */
  async run(command: string, args: string[], cwd = this.folder, env: Record<string, string> = {}): Promise<string> {
    const own = Object.entries(process.env).filter(([key]) => !/^(npm|AWS)_/i.test(key));
    const options = { cwd, env: { ...Object.fromEntries(own), ...env } };
    return (
      await promisify(execFile)(command, args, options).catch((error: Error & { stdout: string; stderr: string }) => {
        throw new Error(`${command} ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`);
      })
    ).stdout;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private link(name: string): void {
    const target = join(this.folder, "node_modules", name);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(join(repository, "node_modules", name), target);
  }
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
