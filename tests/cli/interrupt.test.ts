import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json, text } from "node:stream/consumers";
import { expect } from "chai";
import { repository } from "../support/repository";

interface Request {
  action: string;
  body: {
    ReceiptHandle?: string;
    MessageBody?: string;
    Entries?: { ReceiptHandle: string; VisibilityTimeout: number }[];
  };
}

describe("the command line, on Ctrl-C", () => {
  let server: Server;
  let child: ChildProcess;
  const requests: Request[] = [];
  let interrupted: Promise<unknown>;
  afterEach(() => {
    child.kill("SIGKILL");
    server.close();
  });

  /** An SQS with endlessly many dead letters; the run is interrupted while a request of this kind is under way. */
  async function run(command: string[], interruptAt: (request: Request) => boolean) {
    let deadLetters = 0;
    const answers: Record<string, (request: Request) => object> = {
      SendMessage: ({ body }) => ({ MD5OfMessageBody: md5(body.MessageBody ?? "") }),
      GetQueueAttributes: () => ({ Attributes: { ApproximateNumberOfMessages: "1000" } }),
      ReceiveMessage: () => ({ Messages: [deadLetterOf(deadLetters++), deadLetterOf(deadLetters++)] }),
    };
    server = createServer((request, response) => {
      void json(request).then(async (body) => {
        const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
        const received = { action, body: body as Request["body"] };
        requests.push(received);
        if (interruptAt(received) && !child.killed) {
          child.kill("SIGINT");
          await interrupted;
        }
        response.end(JSON.stringify(answers[action]?.(received) ?? {}));
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const addresses = {
      awsEndpoint: endpoint,
      region: "eu-west-1",
      accessKeyId: "local",
      secretAccessKey: "local",
      deadLetterQueueUrl: `${endpoint}/1/dead`,
      queueUrl: `${endpoint}/1/queue`,
    };
    requests.length = 0;
    const cli = spawn(process.execPath, ["-r", "./transpile", "cli/index.ts", "--addresses", "-", ...command], {
      cwd: repository,
    });
    child = cli;
    interrupted = new Promise((noticed) =>
      cli.stderr.on("data", (data) => /Interrupted/.test(String(data)) && noticed(0)),
    );
    cli.stdin.end(JSON.stringify(addresses));
    const [, [exitCode]] = await Promise.all([text(cli.stdout), once(cli, "exit")]);
    const released = requests.flatMap(({ body: { Entries = [] } }) => Entries);
    expect(released.every(({ VisibilityTimeout }) => VisibilityTimeout === 0)).to.equal(true);
    return { exitCode: exitCode as number, released: released.map(({ ReceiptHandle }) => ReceiptHandle).sort() };
  }

  const did = (action: string) => requests.filter((request) => request.action === action);

  it("releases every dead letter that it holds, and exits with 130", async () => {
    const { exitCode, released } = await run(["dead-letters", "list"], () => did("ReceiveMessage").length === 2);
    expect(exitCode).to.equal(130);
    expect(did("ReceiveMessage")).to.have.lengthOf(2);
    expect(released).to.deep.equal(["r0", "r1", "r2", "r3"]);
  });

  it("deletes the dead letters that it sent, and releases the others", async () => {
    const { exitCode, released } = await run(["dead-letters", "redrive"], ({ action }) => action === "SendMessage");
    expect(exitCode).to.equal(130);
    const sent = did("SendMessage").map(({ body }) => body.MessageBody?.replace("body", "r"));
    const deleted = did("DeleteMessage").map(({ body }) => body.ReceiptHandle);
    expect(sent).not.to.be.empty;
    expect(deleted.sort()).to.deep.equal(sent.sort());
    expect([...sent, ...released].sort()).to.deep.equal(["r0", "r1"]);
  });
});

function md5(body: string): string {
  return createHash("md5").update(body).digest("hex");
}

function deadLetterOf(index: number) {
  const values = { user: "42", context: "chat", contextId: "7", reason: "no-session", originalMessageId: `o${index}` };
  return {
    MessageId: `m${index}`,
    ReceiptHandle: `r${index}`,
    Body: `body${index}`,
    MD5OfBody: md5(`body${index}`),
    Attributes: { SentTimestamp: "1764072000000" },
    MessageAttributes: Object.fromEntries(
      Object.entries(values).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
    ),
  };
}
