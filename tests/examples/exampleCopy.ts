import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { repository } from "../support/repository";

interface Options {
  /** A folder of the example. @default the example's own */
  folder?: string;
  env?: NodeJS.ProcessEnv;
}

/** An example in a folder of its own, with its dependencies, as its reader has it after an install. */
export class ExampleCopy {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "example-")));
  private readonly servers: Server[] = [];

  constructor(name: string) {
    const left = ["node_modules", "dist", ".next", ".venv"];
    const filter = (path: string) => !left.includes(basename(path));
    cpSync(join(repository, "examples", name), this.folder, { recursive: true, filter });
  }

  /** Installs what the lock file has, and the relay's packages as `npm pack` made them. */
  async install(folder: string, packages: string[]): Promise<void> {
    await this.run("npm", ["install", "--no-save", "--prefer-offline", ...packages.map(archiveOf)], { folder });
  }

  /** Installs the package for the example's Pulumi program, next to this repository's Pulumi. */
  async installProgram(): Promise<void> {
    const folder = "installed";
    mkdirSync(this.path(folder));
    writeFileSync(this.path(folder, "package.json"), '{ "private": true }');
    const archive = archiveOf("pulumi-websocket-relay");
    await this.run("npm", ["install", "--prefer-offline", "--omit=peer", archive], { folder });
    symlinkSync(join(repository, "node_modules/@pulumi"), this.path(folder, "node_modules/@pulumi"));
    symlinkSync(this.path(folder, "node_modules"), this.path("node_modules"));
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** What the command prints; rejects with all it wrote if it fails. */
  async run(command: string, args: string[], { folder = ".", env = {} }: Options = {}): Promise<string> {
    const options = { cwd: this.path(folder), env: { ...environment(), ...env }, maxBuffer: 2 ** 26 };
    return (
      await promisify(execFile)(command, args, options).catch((error: Error & { stdout: string; stderr: string }) => {
        throw new Error(`${command} ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`);
      })
    ).stdout;
  }

  /** Starts what runs until it is stopped, at the latest by `remove`. */
  start(command: string, args: string[], { folder = ".", env = {} }: Options = {}): Server {
    const child = spawn(command, args, {
      cwd: this.path(folder),
      env: { ...environment(), ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const server = new Server(child);
    this.servers.push(server);
    return server;
  }

  /** Starts a web server on any free port, and returns the origin that it prints. */
  async serve(command: string, args: string[], options: Options = {}): Promise<string> {
    const line = await this.start(command, args, options).line(/http:\/\/localhost:\d+/);
    return /http:\/\/localhost:\d+/.exec(line)?.[0] ?? "";
  }

  async remove(): Promise<void> {
    for (const server of this.servers) await server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A process of an example that runs on. */
class Server {
  private readonly lines: AsyncIterator<string>;
  private readonly exit: Promise<unknown[]>;

  constructor(private readonly child: ChildProcess & { stdout: Readable }) {
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.exit = once(child, "exit");
  }

  /** The first line from the last one on that matches. */
  async line(expected: RegExp): Promise<string> {
    const said: string[] = [];
    for (;;) {
      const { value, done } = await this.lines.next();
      if (done) throw new Error(`it ended before it printed ${expected}:\n${said.join("\n")}`);
      if (expected.test(value)) return value;
      said.push(value);
    }
  }

  /** Sends SIGTERM, and returns the exit code, or the signal that ended it. */
  async stop(): Promise<unknown> {
    this.child.kill("SIGTERM");
    const [code, signal] = await this.exit;
    return code ?? signal;
  }
}

/** The archive of a package. @throws Error that says how to make it */
function archiveOf(name: string): string {
  const folder = join(repository, "dist-packages");
  const archives = existsSync(folder) ? readdirSync(folder) : [];
  const archive = archives.find(
    (file) => file.startsWith(`${name}-`) && /^\d.*\.tgz$/.test(file.slice(name.length + 1)),
  );
  if (archive !== undefined) return join(folder, archive);
  throw new Error(
    `dist-packages has no archive of ${name}; make it as .ci/run does: npm run build && npm pack --ignore-scripts ` +
      "--pack-destination dist-packages . ./dist-packages/client ./dist-packages/backend",
  );
}

/**
 * Without what the user, or the npm that runs these tests, has set; and without colours: where CI is set, Vite puts them into
 * the address that it prints.
 */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^(AWS|PULUMI|npm|TS_NODE|NODE_ENV|FORCE_COLOR)(_|$)/i.test(key),
  );
  return {
    ...Object.fromEntries(inherited),
    NEXT_TELEMETRY_DISABLED: "1",
    NO_COLOR: "1",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
  };
}
