import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { expect } from "chai";
import { run } from "../../cli/program";
import type { Terminal } from "../../cli/terminal";

/** Fails a request for good: the SDK tries others again. */
const DENIED = { status: 400, body: { __type: "AccessDenied", message: "denied" } };

describe("the dead-letters commands", () => {
  let server: Server;
  let deadLetters: { id: string; hidden: boolean }[];
  let receives: number;
  /** Called before each request; a result replaces the queue's response. */
  let instead: (action: string) => typeof DENIED | undefined;

  beforeEach(async () => {
    deadLetters = ["a", "b"].map((id) => ({ id, hidden: false }));
    receives = 0;
    instead = () => undefined;
    server = createServer((request, response) => {
      void json(request).then((body) => {
        const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
        if (action === "ReceiveMessage") receives += 1;
        const answer = instead(action);
        response.writeHead(answer?.status ?? 200, { "content-type": "application/x-amz-json-1.0" });
        response.end(JSON.stringify(answer?.body ?? answerOf(action, body as Body)));
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  interface Body {
    ReceiptHandle?: string;
    MessageBody?: string;
    Entries?: { ReceiptHandle: string }[];
  }

  function answerOf(action: string, { ReceiptHandle, MessageBody = "", Entries = [] }: Body): object {
    switch (action) {
      case "GetQueueAttributes":
        return { Attributes: { ApproximateNumberOfMessages: String(deadLetters.length) } };
      case "ReceiveMessage": {
        // One at a time, so that a test can act in between.
        const received = deadLetters.filter(({ hidden }) => !hidden).slice(0, 1);
        received.forEach((each) => (each.hidden = true));
        return { Messages: received.map(({ id }) => messageOf(id)) };
      }
      case "ChangeMessageVisibilityBatch":
        deadLetters
          .filter(({ id }) => Entries.some((entry) => entry.ReceiptHandle === id))
          .forEach((each) => (each.hidden = false));
        return {};
      case "DeleteMessage":
        deadLetters = deadLetters.filter(({ id }) => id !== ReceiptHandle);
        return {};
      default:
        return { MD5OfMessageBody: md5(MessageBody) };
    }
  }

  /** @param answer The answer to a question. @default a question fails the test */
  async function cli(args: string[], answer?: (interrupt: () => void) => boolean) {
    const asked: string[] = [];
    const printed: string[] = [];
    const noted: string[] = [];
    const interrupt = new AbortController();
    const terminal: Terminal = {
      print: (text) => printed.push(text),
      note: (text) => noted.push(text),
      confirm(question) {
        asked.push(question);
        return answer
          ? Promise.resolve(answer(() => interrupt.abort()))
          : Promise.reject(new Error("unexpected question"));
      },
      interrupted: interrupt.signal,
    };
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const addresses = {
      awsEndpoint: endpoint,
      region: "eu-west-1",
      accessKeyId: "local",
      secretAccessKey: "local",
      deadLetterQueueUrl: `${endpoint}/1/dead`,
      queueUrl: `${endpoint}/1/queue`,
    };
    const none = () => Promise.reject(new Error("not asked for"));
    const readStdin = () => Promise.resolve(JSON.stringify(addresses));
    const sources = { readFile: none, readStdin, stackOutput: none };
    const exitCode = await run(["--addresses", "-", "dead-letters", ...args], terminal, sources);
    return { asked, printed: printed.join("\n"), noted: noted.join("\n"), exitCode };
  }

  const remaining = () => deadLetters.map(({ id }) => id);
  /** After this number of reads, further ones fail. */
  const failAfter = (count: number) => {
    instead = (action) => (action === "ReceiveMessage" && receives > count ? DENIED : undefined);
  };

  it("purge only the dead letters of the question, and none that arrived later", async () => {
    const { asked, exitCode } = await cli(["purge", "--all"], () => {
      deadLetters.push({ id: "came-later", hidden: false });
      return true;
    });
    expect(asked).to.deep.equal(["Delete every dead letter in the dead-letter queue, about 2, for good?"]);
    expect(remaining()).to.deep.equal(["came-later"]);
    expect(exitCode).to.equal(0);
  });

  it("purge nothing if the answer is no", async () => {
    const { noted, exitCode } = await cli(["purge", "--all"], () => false);
    expect(remaining()).to.deep.equal(["a", "b"]);
    expect(noted).to.match(/^Nothing was deleted\.$/m);
    expect(exitCode).to.equal(1);
  });

  it("exit with 130 if they are interrupted during a question", async () => {
    const { exitCode } = await cli(["purge", "--all"], (interrupt) => {
      interrupt();
      return false;
    });
    expect(remaining()).to.deep.equal(["a", "b"]);
    expect(exitCode).to.equal(130);
  });

  it("print how many dead letters of the question were not found again", async () => {
    const { noted } = await cli(["purge", "--all"], () => {
      deadLetters.forEach((each) => (each.hidden = each.id === "b"));
      return true;
    });
    expect(remaining()).to.deep.equal(["b"]);
    expect(noted).to.match(/^Not found again, so not deleted: 1 dead letter\.$/m);
  });

  it("ask nothing and purge nothing if the queue could not be read to its end", async () => {
    failAfter(1);
    const { asked, noted, exitCode } = await cli(["purge", "--all"], () => true);
    expect(asked).to.deep.equal([]);
    expect(remaining()).to.deep.equal(["a", "b"]);
    expect(noted).to.match(/^error: denied\. Unread dead letters stay in the queue\.$/m);
    expect(exitCode).to.equal(1);
  });

  for (const [command, outcome] of [
    [["redrive"], "redriven"],
    [["purge", "--all", "--yes"], "purged"],
  ] as const) {
    it(`print what was ${outcome} before a read of the queue failed`, async () => {
      failAfter(1);
      const { printed, noted, exitCode } = await cli([...command]);
      expect(printed)
        .to.match(new RegExp(`^${outcome} .* own-a`, "m"))
        .and.not.contain("own-b");
      expect(noted).to.match(/^error: denied/m);
      expect(remaining()).to.deep.equal(["b"]);
      expect(exitCode).to.equal(1);
    });
  }

  it("note that dead letters may be unread if the queue had counted more", async () => {
    deadLetters.push({ id: "c", hidden: true });
    const { noted, exitCode } = await cli(["list"]);
    expect(noted).to.match(/^2 of 2 dead letters read .*\nCounted at the start: about 3 dead letters\./);
    expect(exitCode).to.equal(0);
  });
});

function messageOf(id: string) {
  const values = { user: "42", context: "chat", contextId: "7", messageId: `own-${id}`, originalMessageId: `of-${id}` };
  return {
    MessageId: id,
    ReceiptHandle: id,
    Body: id,
    MD5OfBody: md5(id),
    Attributes: { SentTimestamp: "1764072000000" },
    MessageAttributes: Object.fromEntries(
      Object.entries(values).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
    ),
  };
}

function md5(body: string): string {
  return createHash("md5").update(body).digest("hex");
}
