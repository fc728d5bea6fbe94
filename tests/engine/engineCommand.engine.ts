import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { WebSocket } from "ws";
import { allBlocks } from "../docs/blocks";
import { ProgramCopy, thisProgram } from "./programCopy";

describe("npm run engine", function () {
  this.timeout(180_000);

  let program: ProgramCopy;
  let stackFile: string;
  let child: ChildProcessWithoutNullStreams | undefined;
  before(async () => {
    // The provider is the command's own.
    program = await ProgramCopy.create(0);
    stackFile = join(program.folder, "Pulumi.engine.yaml");
  });
  afterEach(() => {
    if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  });
  after(() => program?.remove());

  const start = (...args: string[]) => {
    const command = ["-r", "./transpile", "local/run/engine.ts", "--program", program.folder, ...args];
    return spawned(process.execPath, command, program.environment);
  };
  /** In a group of its own, as a terminal does it: Ctrl-C reaches every process of it. */
  const spawned = (command: string, args: string[], env: NodeJS.ProcessEnv) =>
    (child = spawn(command, args, { cwd: thisProgram.folder, env, detached: true }));
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
    const running = spawned("bash", ["-c", block?.text ?? ""], program.environment);
    const stackFile = join(thisProgram.folder, "Pulumi.engine.yaml");
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
    await program.paste(
      `cd ${thisProgram.folder}\nexport ${exports}\npulumi up --yes --skip-preview --expect-no-changes --non-interactive`,
    );

    expect(existsSync(stackFile)).to.equal(true);
    process.kill(-(running.pid as number), "SIGINT");
    await once(running, "close");
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
