import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pause } from "./pause";
import { recipient, Relay, startProcess } from "./relay";

describe("npm start", () => {
  it("prints one line of JSON with every address when it is ready, and nothing else to stdout", async () => {
    const child = startProcess(["--json"]);
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    while (!stdout.includes("\n")) await once(child.stdout, "data");
    child.kill("SIGINT");
    await once(child, "exit");
    expect(stdout.trim().split("\n")).to.have.lengthOf(1);
    expect(Object.keys(JSON.parse(stdout) as object)).to.deep.equal([
      "relayName",
      "delivery",
      "websocketUrl",
      "managementEndpoint",
      "awsEndpoint",
      "dynamodbEndpoint",
      "region",
      "accessKeyId",
      "secretAccessKey",
      "topicArn",
      "queueUrl",
      "queueArn",
      "deadLetterQueueUrl",
      "subscriptionDeadLetterQueueUrl",
      "tableName",
      "tokenUrl",
      "jwksUrl",
      "cookieName",
      "allowedOrigins",
      "controlUrl",
      "pageUrl",
    ]);
  });

  it("leaves no process of the bundler behind", async () => {
    const relay = await Relay.start();
    // It was told to end before the run was ready, and takes a moment for it.
    let children = childrenOf(relay.process);
    for (let looks = 1; looks < 100 && children.length > 0; looks++) children = childrenOf(relay.process);
    await relay.stop();
    expect(children, "functions start when they are first invoked").to.deep.equal([]);
  });

  it("prints in words how to connect, to publish and to get a token", async () => {
    const child = startProcess([]);
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    while (!stdout.includes("Ctrl-C")) await once(child.stdout, "data");
    child.kill("SIGINT");
    await once(child, "exit");
    expect(stdout.indexOf("http://127.0.0.1:"), "the page comes first").to.be.below(stdout.indexOf("wscat"));
    expect(stdout)
      .to.match(/wscat -c 'ws:/)
      .and.match(/sns publish --topic-arn arn:/)
      .and.match(/curl '.*user=42/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`ends with exit code 0 on ${signal}, even when it comes twice, and leaves no process behind`, async () => {
      const relay = await Relay.start();
      const client = await relay.connect(recipient());
      const children = childrenOf(relay.process);
      expect(children, "the connect function's process").to.not.be.empty;
      relay.process.kill(signal);
      relay.process.kill(signal);
      const [code] = (await once(relay.process, "exit")) as [number];
      expect(code).to.equal(0);
      expect(client.messages).to.deep.equal([]);
      for (const pid of children) await ended(pid);
      await relay.stop();
    });
  }

  it("runs the functions on the Node that it is given", async () => {
    const folder = mkdtempSync(join(tmpdir(), "node-"));
    const node = join(folder, "other-node");
    symlinkSync(process.execPath, node);
    const relay = await Relay.start(["--node", node]);
    try {
      await relay.connect(recipient());
      const commands = execFileSync("ps", ["-A", "-o", "args="]).toString();
      expect(commands).to.include(node);
    } finally {
      await relay.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it("uses the config of the chosen stack", async () => {
    const relay = await Relay.start(["--stack", "prod"]);
    try {
      const { allowedOrigins, managementEndpoint, pageUrl } = relay.addresses;
      const own = new URL(managementEndpoint);
      // To a phone's emulator, React Native sends the name by which it reaches this machine.
      const names = ["localhost", "10.0.2.2"].map((name) => `http://${name}:${own.port}`);
      expect(allowedOrigins).to.deep.equal([new URL(pageUrl).origin, ...names, own.origin]);
    } finally {
      await relay.stop();
    }
  });

  it("uses a value of --config in the place of the stack's, as often as one is given", async () => {
    const relay = await Relay.start(["--config", 'allowedOrigins=["https://app.dev"]', "-c", "stageName=a"]);
    try {
      expect(relay.addresses.allowedOrigins).to.include("https://app.dev").and.not.include("http://localhost:3000");
      expect(relay.addresses.websocketUrl).to.match(/\/a$/);
    } finally {
      await relay.stop();
    }
  });

  it("admits the Origin that React Native sends from an emulator, and no other of the same port", async () => {
    const relay = await Relay.start();
    try {
      const to = recipient();
      const { port } = new URL(relay.addresses.websocketUrl);
      const cookie = `${relay.addresses.cookieName}=${await relay.token(to.user)}`;
      const status = async (host: string) => {
        const headers = { cookie, origin: `http://${host}:${port}`, host: `${host}:${port}` };
        return (await relay.handshake(relay.url(to), { headers })).status;
      };
      expect([await status("localhost"), await status("10.0.2.2")]).to.deep.equal([101, 101]);
      expect(await status("evil.example")).to.equal(403);
    } finally {
      await relay.stop();
    }
  });

  it("listens on the address of --host too, for WebSockets alone", async () => {
    // Another loopback address is as good as one of the network.
    const relay = await Relay.start(["--host", "127.0.0.2"]);
    try {
      const to = recipient();
      const { port } = new URL(relay.addresses.websocketUrl);
      const elsewhere = relay.url(to).replace("127.0.0.1", "127.0.0.2");
      const cookie = `${relay.addresses.cookieName}=${await relay.token(to.user)}`;
      const client = await relay.connectByUrl(elsewhere, { headers: { cookie, origin: `http://127.0.0.2:${port}` } });
      await relay.publish(to, "hello");
      await client.message("hello");
      const management = relay.addresses.managementEndpoint.replace("127.0.0.1", "127.0.0.2");
      expect((await fetch(`${management}/@connections/a`)).status).to.equal(403);
    } finally {
      await relay.stop();
    }
  });

  it("delivers no $disconnect with --lose-disconnects", async () => {
    const relay = await Relay.start(["--lose-disconnects"]);
    try {
      const to = recipient();
      const client = await relay.connect(to);
      const session = await relay.session(to);
      await client.close();
      expect(await relay.session(to)).to.deep.equal(session);
      // The next client of the session finds it as the lost one left it.
      await relay.connect(to);
      expect((await relay.session(to))?.connection_id).not.to.deep.equal(session?.connection_id);
    } finally {
      await relay.stop();
    }
  });

  it("listens on the port that it is given, and fails in one line when that is taken", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port } = blocker.address() as AddressInfo;
    const refused = await failure(["--port", String(port)]);
    expect(refused.stderr)
      .to.match(/^error: .*\n$/)
      .and.include(String(port));
    blocker.close();
    await once(blocker, "close");
    const relay = await Relay.start(["--port", String(port)]);
    await relay.stop();
    expect(new URL(relay.addresses.websocketUrl).port).to.equal(String(port));
  });

  const refused: [what: string, flags: string[], message: RegExp][] = [
    ["an unknown flag", ["--fast"], /--fast/],
    ["a word that is no flag", ["fast"], /fast/],
    ["an unknown stack", ["--stack", "staging"], /"staging".*dev, prod/],
    ["a stack that would leave the folder", ["--stack", "../x"], /"\.\.\/x"/],
    ["a port that is none", ["--port", "65536"], /--port: got "65536"; allowed/],
    ["every address at once", ["--host", "0.0.0.0"], /--host: got "0.0.0.0"; allowed: an address of this machine/],
    ["an address on which it listens anyway", ["--host", "localhost"], /--host: got "localhost"; allowed: an address/],
    ["an address of another machine", ["--host", "192.0.2.1"], /192\.0\.2\.1 is no address of this machine/],
    ["a Node that is not there", ["--node", "/nowhere/node"], /--node: got "\/nowhere\/node"; allowed/],
    ["a program that is not there", ["--program", "/nowhere"], /--program: got "\/nowhere"; allowed/],
    ["a config value without =", ["-c", "delivery"], /--config: got "delivery"; allowed: KEY=VALUE/],
    ["a config value without a key", ["-c", "=replay"], /--config: got "=replay"; allowed: KEY=VALUE/],
    ["an unknown config key", ["-c", "deliver=replay"], /no config key "deliver"; there are: .*maxAttempts/],
    ["a config value of another type", ["-c", "maxAttempts=x"], /--config maxAttempts: got "x"; allowed: a whole/],
    ["a config value that the program refuses", ["-c", "maxAttempts=0"], /maxAttempts/],
    ["a time scale below one", ["--time-scale", "0"], /--time-scale: got "0"; allowed/],
  ];
  for (const [what, flags, message] of refused) {
    it(`refuses ${what} in one line, without a stack trace`, async () => {
      const { code, stderr } = await failure(flags);
      expect(code).to.equal(1);
      expect(stderr.trim().split("\n")).to.have.lengthOf(1);
      expect(stderr)
        .to.match(/^error: /)
        .and.match(message);
    });
  }
});

async function failure(flags: string[]): Promise<{ code: number; stderr: string }> {
  const child = startProcess(["--json", ...flags]);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, stderr };
}

function childrenOf({ pid }: ChildProcess): number[] {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="]).toString();
  const rows = table.split("\n").map((row) => row.trim().split(/\s+/).map(Number));
  return rows.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}

/** Resolves when there is no process of that id any more. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause();
  }
}
