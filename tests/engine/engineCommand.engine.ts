import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { WebSocket } from "ws";
import { allBlocks } from "../docs/blocks";
import { afterTest } from "../support/afterTest";
import { repository } from "../support/repository";
import { ProgramCopy, thisRepository } from "./programCopy";

describe("npm run engine", function () {
  this.timeout(180_000);

  let program: ProgramCopy;
  let stackFile: string;
  /** Its `pulumi` writes the process id of each CLI to stderr, and runs it. */
  let announcing: string;
  const started: ChildProcessWithoutNullStreams[] = [];
  before(async () => {
    // The provider is the command's own.
    program = await ProgramCopy.create(0, thisRepository);
    stackFile = join(program.folder, "Pulumi.engine.yaml");
    announcing = join(program.folder, "announcing");
    mkdirSync(announcing);
    const script = '#!/bin/bash\necho "pulumi $1 is process $$" >&2\nPATH=${PATH#*:} exec pulumi "$@"\n';
    writeFileSync(join(announcing, "pulumi"), script, { mode: 0o755 });
  });
  const endAll = () => {
    for (const { pid, exitCode } of started.splice(0)) {
      if (pid !== undefined && exitCode === null) process.kill(-pid, "SIGKILL");
    }
  };
  // Ctrl-C in the tests' own terminal does not reach these process groups.
  process.once("exit", endAll);
  afterEach(() => {
    endAll();
    rmSync(stackFile, { force: true });
    copyFileSync(join(repository, "index.ts"), join(program.folder, "index.ts"));
  });
  after(() => program?.remove());

  const start = (...args: string[]) => spawned(process.execPath, ["-r", "./transpile", "local/run/engine.ts", ...args]);
  /** In a process group of its own, as a shell starts it: a terminal sends Ctrl-C to each process of the group. */
  const spawned = (command: string, args: string[], variables: NodeJS.ProcessEnv = {}) => {
    const env = { ...program.environment, ...variables };
    const child = spawn(command, args, { cwd: program.folder, env, detached: true });
    started.push(child);
    return child;
  };
  /** All that it has written to stdout, once `sentence` is there; or its end, with what it wrote to stderr. */
  const written = async ({ stdout, stderr }: ChildProcessWithoutNullStreams, sentence: string) => {
    let all = "";
    const errors = text(stderr);
    for await (const chunk of stdout) {
      all += String(chunk);
      if (all.includes(sentence)) return all;
    }
    throw new Error(`${sentence} was not written, but:\n${all}\n${await errors}`);
  };

  it("as printed, lets the CLI make a relay that delivers, changes nothing in a second up, and leaves nothing", async () => {
    const block = allBlocks().find(({ mark }) => mark?.kind === "engine" && mark.name === "engine-up");
    const running = spawned("bash", ["-c", block?.text ?? ""]);
    const output = await written(running, "Ctrl-C ends it.");
    const [, websocketUrl = ""] = /websocketUrl\s*: "(.+)"/.exec(output) ?? [];
    const [, token = ""] = /curl -s '(.+?)'/.exec(output) ?? [];
    const [, endpoint = "", TopicArn = ""] = /--endpoint-url (\S+) sns publish --topic-arn (\S+)/.exec(output) ?? [];

    const headers = { authorization: `Bearer ${await (await fetch(token)).text()}` };
    const client = new WebSocket(`${websocketUrl}?context=chat&contextId=7`, { headers });
    await once(client, "open");
    const sns = new SNSClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const attribute = (StringValue: string) => ({ DataType: "String", StringValue });
    const MessageAttributes = { user: attribute("42"), context: attribute("chat"), contextId: attribute("7") };
    const received = once(client, "message") as Promise<[Buffer]>;
    await sns.send(new PublishCommand({ TopicArn, Message: "Hello, 42", MessageAttributes }));
    expect(String((await received)[0])).to.include("Hello, 42");
    client.terminate();
    sns.destroy();

    const [, exports = ""] = /^ {2}export (PULUMI_.+)$/m.exec(output) ?? [];
    await program.paste(`export ${exports}\npulumi up --yes --skip-preview --expect-no-changes --non-interactive`);

    const second = start("preview");
    const [refused, [code]] = await Promise.all([text(second.stderr), once(second, "exit")]);
    expect(refused).to.match(/Pulumi\.engine\.yaml belongs to another npm run engine, .*\(process \d+\)\. Fix: /);
    expect(code).to.equal(1);

    expect(existsSync(stackFile)).to.equal(true);
    process.kill(-(running.pid as number), "SIGINT");
    await once(running, "close");
    expect(existsSync(stackFile)).to.equal(false);
  });

  it("prints how to start it in replay mode", async () => {
    const output = await written(start("up", "--yes", "--skip-preview"), "Ctrl-C ends it.");
    expect(output).to.include("(for replay mode: npm run engine -- -c delivery=replay up)");
  });

  /** An `up` whose program never ends; `hosts` is an option for Node in its language hosts. */
  const startEndless = async (NODE_OPTIONS = program.environment.NODE_OPTIONS) => {
    writeFileSync(join(program.folder, "index.ts"), endlessProgram);
    const PATH = `${announcing}:${process.env.PATH}`;
    const args = ["-r", "./transpile", "local/run/engine.ts", "up", "--yes", "--skip-preview"];
    const running = spawned(process.execPath, args, { PATH, NODE_OPTIONS });
    const errors = text(running.stderr);
    const [, ...pids] = /processes (\d+) (\d+) never end/.exec(await written(running, "never end")) ?? [];
    // A language host that is not Pulumi's own leaves them running.
    afterTest(() =>
      pids
        .map(Number)
        .filter(isRunning)
        .forEach((pid) => process.kill(pid, "SIGKILL")),
    );
    running.stdout.resume();
    return { running, pidOfUp: async () => Number(/pulumi up is process (\d+)/.exec(await errors)?.[1]) };
  };

  it("ends the CLI at SIGTERM, before it ends itself and removes the state", async () => {
    const { running, pidOfUp } = await startEndless();
    running.kill("SIGTERM");
    const [code] = (await once(running, "exit")) as [number];
    expect(isRunning(await pidOfUp())).to.equal(false);
    expect(code).to.equal(143);
    expect(existsSync(stackFile)).to.equal(false);
  });

  it("lets the CLI cancel for as long as that takes at Ctrl-C, and exits with 130", async () => {
    // Without endOnInterrupt.js, the CLI waits for its language host for ten seconds.
    const { running, pidOfUp } = await startEndless("");
    process.kill(-(running.pid as number), "SIGINT");
    const [code] = (await once(running, "exit")) as [number];
    expect(isRunning(await pidOfUp())).to.equal(false);
    expect(code).to.equal(130);
    expect(existsSync(stackFile)).to.equal(false);
  });

  it("ends with a command that leaves no relay", async () => {
    const running = start("preview", "--color", "never");
    const [output, [exitCode]] = await Promise.all([text(running.stdout), once(running, "exit")]);
    expect(output).to.match(/\+ \d+ to create/);
    expect(exitCode).to.equal(0);
    expect(existsSync(stackFile)).to.equal(false);
  });

  it("ends with the exit code of a command that fails", async () => {
    const running = start("-c", "maxAttempts=0", "preview", "--color", "never");
    const [output, [exitCode]] = await Promise.all([text(running.stdout), once(running, "exit")]);
    expect(output).to.include("maxAttempts: got 0");
    expect(exitCode).to.equal(1);
  });

  it("refuses a program's own stack of the same name, and leaves its file", async () => {
    writeFileSync(stackFile, "config: {}\n");
    const running = start("preview");
    const [errors, [exitCode]] = await Promise.all([text(running.stderr), once(running, "exit")]);
    expect(errors).to.match(/Pulumi\.engine\.yaml exists, and npm run engine did not write it\. Fix: /);
    expect(exitCode).to.equal(1);
    expect(existsSync(stackFile)).to.equal(true);
  });
});

const endlessProgram = `
setInterval(() => undefined, 1_000);
console.log("processes", process.ppid, process.pid, "never end");
`;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
