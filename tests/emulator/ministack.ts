import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { repository } from "../support/repository";
import { FrontDoor } from "./frontDoor";

/** The account's own key: its policies are not asked. Any other key is. */
export const rootCredentials = { accessKeyId: "root", secretAccessKey: "of-this-run" };

/** The folder with ministack and Node 24: CONTRIBUTING.md says how to install them. */
const tools = process.env.EMULATOR_TOOLS;

/** The emulator as a process, with IAM enforced, behind a proxy that adds what it lacks. */
export class Ministack {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly frontDoor: FrontDoor,
    private readonly lines: string[],
    /** The interpreter that runs it. */
    readonly python: string,
  ) {
    // If the tests are interrupted.
    process.once("exit", this.end);
  }

  /** @throws Error that names the missing tool. */
  static async start(): Promise<Ministack> {
    const { python, nodeFolder } = installed();
    const folder = await mkdtemp(join(tmpdir(), "emulator-"));
    const frontDoor = await FrontDoor.start();
    // Not `python -m ministack`, which cannot choose a free port itself.
    const child = spawn(python, ["-m", "hypercorn", "ministack.app:app", "--bind", "127.0.0.1:0"], {
      cwd: folder,
      // In a process group, to be ended with its functions.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      // Without the developer's own AWS settings.
      env: {
        PATH: [nodeFolder, process.env.PATH].join(delimiter),
        HOME: folder,
        TMPDIR: folder,
        AUTH: "true",
        AWS_ACCESS_KEY_ID: rootCredentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: rootCredentials.secretAccessKey,
        // What the functions call.
        AWS_ENDPOINT_URL: frontDoor.url,
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
        LAMBDA_EXECUTOR: "local",
        IOT_MTLS_ENABLED: "0",
        SFTP_ENABLED: "0",
      },
    });
    const lines: string[] = [];
    const ministack = new Ministack(child, folder, frontDoor, lines, python);
    try {
      frontDoor.leadTo(await portOf(child, lines));
    } catch (error) {
      await ministack.stop();
      throw error;
    }
    return ministack;
  }

  /** Of every service. */
  get endpoint(): string {
    return this.frontDoor.url;
  }

  /** What it and the functions have logged. */
  get log(): string {
    return this.lines.join("\n");
  }

  async stop(): Promise<void> {
    process.off("exit", this.end);
    if (this.isRunning) {
      const closed = once(this.child, "close");
      this.end();
      await closed;
    }
    await this.frontDoor.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** With its functions, which are processes of its group. */
  private readonly end = (): void => {
    const { pid } = this.child;
    if (pid !== undefined && this.isRunning) process.kill(-pid, "SIGKILL");
  };

  private get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

/** @throws Error that names a missing tool. */
function installed(): { python: string; nodeFolder: string } {
  const fix = `install what ${join(repository, "tests/emulator/requirements.txt")} lists, as .ci/run does`;
  if (tools === undefined) throw new Error(`EMULATOR_TOOLS is not set. Fix: ${fix}, and set it to that folder`);
  const found = { python: join(tools, "python/bin/python"), nodeFolder: join(tools, "node_modules/node24/bin") };
  for (const file of [found.python, join(found.nodeFolder, "node")]) {
    if (!existsSync(file)) throw new Error(`${file} is missing. Fix: ${fix}`);
  }
  return found;
}

async function portOf(child: ChildProcess, lines: string[]): Promise<number> {
  const port = new Promise<number>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        const [, bound] = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
        if (bound !== undefined) resolve(Number(bound));
      });
    }
  });
  const ended = once(child, "close").then(() => {
    throw new Error(`ministack ended:\n${lines.join("\n")}`);
  });
  return Promise.race([port, ended]);
}
