import { execFileSync } from "node:child_process";
import { type BatchResultErrorEntry, type PublishBatchCommand, type SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { RelayBackend, RelayInputError, type RelayStream, type StreamOptions } from "../../backend";
import type { SessionPublication } from "../../backend/publication";
import type { PublishResult } from "../../backend/publishBatch";
import { RelayStream as Stream } from "../../backend/stream";
import { resolveStreamOptions } from "../../backend/streamOptions";
import { checkPublication } from "../../handlers/messages/publication";
import { parseStreamChunk, type StreamChunk } from "../../protocol";
import { mulberry32 } from "../support/mulberry32";
import { refusal } from "../support/refusal";
import { repository } from "../support/repository";
import { isStreamChunk } from "../support/schemas";
import { settled, VirtualClock } from "../support/virtualClock";

const topicArn = "arn:aws:sns:eu-west-1:111122223333:relay-topic";
const session = { user: "42", context: "chat", contextId: "7" };
const denied = Object.assign(new Error("denied"), { name: "AuthorizationErrorException" });

/** A stream in virtual time, and what it has published. Each request takes `latencyMs`. */
class Published {
  readonly clock = new VirtualClock();
  readonly startMs = this.clock.now();
  readonly requests: { atMs: number; publications: SessionPublication[] }[] = [];
  readonly stream: RelayStream;
  latencyMs = 0;
  running = 0;
  /** What becomes of a chunk, by its text; undefined if it is published. */
  errorOf: (chunk: StreamChunk, request: number) => Error | undefined = () => undefined;

  constructor(options: Partial<StreamOptions> = {}) {
    const { clock } = this;
    this.stream = new Stream(resolveStreamOptions({ ...session, streamId: "s1", ...options }, topicArn, new Date()), {
      publish: (publications) => this.publish(publications),
      timers: {
        now: () => clock.now(),
        set: (callback, delayMs) => clock.setTimeout(callback, delayMs),
        setUnref: (callback, delayMs) => clock.setTimeout(callback, delayMs),
        clear: (timer) => clock.clearTimeout(timer),
      },
    });
  }

  private async publish(publications: SessionPublication[]): Promise<PublishResult[]> {
    this.requests.push({ atMs: this.clock.now() - this.startMs, publications });
    expect(++this.running, "requests at one time").to.equal(1);
    if (this.latencyMs > 0) await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.latencyMs));
    this.running--;
    return publications.map(({ message, messageId = "" }) => {
      const error = this.errorOf(chunkOf(message), this.requests.length);
      return { messageId, ...(error && { error }) };
    });
  }

  get chunks(): StreamChunk[] {
    return this.requests.flatMap(({ publications }) => publications.map(({ message }) => chunkOf(message)));
  }

  /** Each chunk as its offset, its text and its end. */
  get shown(): string[] {
    return this.chunks.map(({ offset, text, end, reason }) =>
      [`${offset}:${text}`, end, reason].filter((part) => part !== undefined).join(" "),
    );
  }

  get times(): number[] {
    return this.requests.map(({ atMs }) => atMs);
  }
}

function chunkOf(message: string): StreamChunk {
  expect(isStreamChunk(JSON.parse(message)), message.slice(0, 200)).to.equal(true);
  const chunk = parseStreamChunk(message);
  if (!chunk) throw new Error(`${message} is no chunk`);
  return chunk;
}

/** The text of a stream by its chunks' offsets, which must follow each other. */
function textOf(chunks: readonly StreamChunk[]): string {
  return chunks.reduce((sum, { offset, text }) => {
    expect(offset).to.equal(sum.length);
    return sum + text;
  }, "");
}

const isPending = async (promise: Promise<unknown>) => {
  const outcome = await Promise.race([promise.then(() => "done"), settled().then(() => "pending")]);
  return outcome === "pending";
};

describe("RelayBackend.stream", () => {
  describe("publishes", () => {
    it("the first text at once, as a chunk of the protocol to the session", async () => {
      const { stream, requests } = new Published();
      await stream.append("Hello");
      expect(requests).to.deep.equal([
        {
          atMs: 0,
          publications: [
            {
              ...session,
              expiresAt: undefined,
              message: '{"type":"websocket-relay.stream","id":"s1","offset":0,"text":"Hello"}',
              messageId: "s1:1",
            },
          ],
        },
      ]);
      expect(stream.id).to.equal("s1");
    });

    it("later text in windows that double from 25 ms up to rollupMs", async () => {
      const published = new Published();
      for (let token = 0; token < 200; token++) {
        await published.stream.append(".");
        await published.clock.advance(5);
      }
      const pauses = published.times.map((atMs, index) => atMs - (published.times[index - 1] ?? 0));
      expect(pauses).to.deep.equal([0, 25, 50, 100, 200, 250, 250]);
      expect(published.chunks.map(({ text }) => text.length)).to.deep.equal([1, 4, 10, 20, 40, 50, 50]);
    });

    it("500 tokens at 50 a second in 44 messages, each in a request", async () => {
      const published = new Published();
      const tokens = Array.from({ length: 500 }, (_, index) => `token ${index} `);
      for (const token of tokens) {
        await published.stream.append(token);
        await published.clock.advance(20);
      }
      await published.stream.close();
      expect(textOf(published.chunks)).to.equal(tokens.join(""));
      expect([published.chunks.length, published.requests.length]).to.deep.equal([44, 44]);
    });

    it("with rollupMs 0 whatever there is as soon as the previous request has ended", async () => {
      const published = new Published({ rollupMs: 0 });
      published.latencyMs = 30;
      for (const token of ["a", "b", "c", "d"]) {
        await published.stream.append(token);
        await published.clock.advance(10);
      }
      await published.clock.advance(100);
      expect(published.shown).to.deep.equal(["0:a", "1:bc", "3:d"]);
      expect(published.times).to.deep.equal([0, 30, 60]);
    });

    it("never two requests at one time, however long one takes", async () => {
      const published = new Published();
      published.latencyMs = 1_000;
      for (let token = 0; token < 100; token++) {
        await published.stream.append(".");
        await published.clock.advance(30);
      }
      expect(published.times).to.deep.equal([0, 1_000, 2_000, 3_000]);
    });

    it("text that comes after a window has ended at once", async () => {
      const published = new Published();
      await published.stream.append("a");
      await published.clock.advance(300);
      await published.stream.append("b");
      await published.clock.advance(60);
      await published.stream.append("c");
      expect(published.times).to.deep.equal([0, 300, 360]);
    });

    it("nothing for an empty text", async () => {
      const { stream, requests } = new Published();
      await stream.append("");
      expect(requests).to.deep.equal([]);
    });

    it("a text that is larger than a message in several chunks, ten in a request", async () => {
      const published = new Published({ maxBufferedBytes: 1_000_000 });
      const text = "0123456789".repeat(15_000);
      await published.stream.append(text);
      await published.clock.advance(1_000);
      expect(textOf(published.chunks)).to.equal(text);
      expect(published.requests.map(({ publications }) => publications.length)).to.deep.equal([10, 5]);
      const ids = published.requests.flatMap(({ publications }) => publications.map(({ messageId }) => messageId));
      expect(ids).to.deep.equal(Array.from({ length: 15 }, (_, index) => `s1:${index + 1}`));
    });

    it("any text as messages that SQS and the gateway accept: control characters, U+FFFF, lone surrogates", async () => {
      const published = new Published({ maxBufferedBytes: 10_000_000 });
      const texts = ["\u0000", '"', "\\", "\u007f", "\ud800", "\udfff", "\ufffe", "\uffff", "€", "\u2028"];
      const text = texts.map((each) => each.repeat(12_000)).join("") + "\ud83d";
      void published.stream.append(text);
      await published.stream.close();
      for (const { message, ...to } of published.requests.flatMap(({ publications }) => publications)) {
        expect(checkPublication({ ...to, expiresAt: undefined, message }).reason).to.equal(undefined);
        const envelope = { type: "message", epoch: "e".repeat(12), seq: 1e15, id: "i".repeat(128), body: message };
        expect(Buffer.byteLength(JSON.stringify(envelope))).to.be.below(128 * 1024);
      }
      expect(textOf(published.chunks)).to.equal(text);
    });

    it("no chunk that ends within a surrogate pair, wherever its producer cuts the text", async () => {
      const random = mulberry32(15);
      for (let run = 0; run < 200; run++) {
        const published = new Published({ maxBufferedBytes: 1_000_000 });
        // Pairs lie across the limit of a chunk.
        const text = ["x".repeat(random() < 0.5 ? 9_999 : 1), ..."a😀b👩‍👩‍👧c"].join("").repeat(3);
        for (let from = 0; from < text.length;) {
          const length = random() < 0.9 ? 1 + Math.floor(random() * 3) : 10_000;
          void published.stream.append(text.slice(from, from + length));
          from += length;
          if (random() < 0.3) await published.clock.advance(random() * 100);
        }
        await published.stream.close();
        expect(textOf(published.chunks)).to.equal(text);
        for (const chunk of published.chunks) expect(chunk.text).not.to.match(/\p{Surrogate}/u);
      }
    });

    it("what an async iterable yields", async () => {
      const published = new Published();
      async function* source() {
        for (const token of ["The ", "answer ", "is ", "42"]) {
          yield token;
          await published.clock.advance(30);
        }
      }
      for await (const token of source()) await published.stream.append(token);
      await published.stream.close();
      expect(textOf(published.chunks)).to.equal("The answer is 42");
    });
  });

  describe("makes the caller of append wait", () => {
    it("until less than maxBufferedBytes wait to be published, in bytes of UTF-8", async () => {
      const published = new Published({ maxBufferedBytes: 10 });
      published.latencyMs = 100;
      await published.stream.append("€€€");
      const full = published.stream.append("é");
      expect(await isPending(full)).to.equal(true);
      await published.clock.advance(100);
      expect(await isPending(full)).to.equal(false);
    });

    it("without looking at the other callers: 50,000 that are not awaited end in the time of a test", async () => {
      const published = new Published({ maxBufferedBytes: 1 });
      published.latencyMs = 10;
      for (let count = 0; count < 50_000; count++) void published.stream.append("x");
      const closed = published.stream.close();
      await published.clock.advance(1_000);
      await closed;
      expect(textOf(published.chunks)).to.have.length(50_000);
    }).timeout(10_000);

    it("for a request and not for a window: a full buffer is published at once", async () => {
      const published = new Published({ maxBufferedBytes: 100 });
      await published.stream.append("a");
      await published.clock.advance(1);
      const full = published.stream.append("b".repeat(100));
      await full;
      expect(published.times).to.deep.equal([0, 1]);
    });

    it("until its own text is published with maxBufferedBytes 1", async () => {
      const published = new Published({ maxBufferedBytes: 1 });
      published.latencyMs = 50;
      const appended = published.stream.append("a");
      await published.clock.advance(49);
      expect(await isPending(appended)).to.equal(true);
      await published.clock.advance(1);
      expect(await isPending(appended)).to.equal(false);
    });
  });

  describe("close", () => {
    it("publishes the last text at once, with the end in the same message", async () => {
      const published = new Published();
      await published.stream.append("a");
      void published.stream.append("b");
      await published.stream.close();
      expect(published.shown).to.deep.equal(["0:a", "1:b closed"]);
      expect(published.times).to.deep.equal([0, 0]);
      expect(published.clock.pending, "timers").to.equal(0);
    });

    it("publishes the end alone if there is no text", async () => {
      const empty = new Published();
      await empty.stream.close();
      expect(empty.shown).to.deep.equal(["0: closed"]);
      const sent = new Published();
      await sent.stream.append("a");
      await sent.clock.advance(1);
      await sent.stream.close();
      expect(sent.shown).to.deep.equal(["0:a", "1: closed"]);
    });

    it("puts the end into the last of several chunks, once all of the text is published", async () => {
      const published = new Published({ maxBufferedBytes: 1_000_000 });
      await published.stream.append("a");
      void published.stream.append("b".repeat(120_000));
      await published.stream.close();
      expect(published.chunks.map(({ end }) => end).filter(Boolean)).to.have.lengthOf(1);
      expect(published.chunks.at(-1)).to.include({ end: "closed", offset: 110_001 });
    });

    it("waits for the request that is running", async () => {
      const published = new Published();
      published.latencyMs = 100;
      await published.stream.append("a");
      const closed = published.stream.close();
      await published.clock.advance(199);
      expect(await isPending(closed)).to.equal(true);
      await published.clock.advance(1);
      await closed;
      expect(published.times).to.deep.equal([0, 100]);
    });

    it("may be called several times", async () => {
      const published = new Published();
      expect(published.stream.close()).to.equal(published.stream.close());
      await published.stream.close();
      expect(published.shown).to.deep.equal(["0: closed"]);
    });

    it("is followed by no text: append is refused by name, and changes nothing", async () => {
      const published = new Published();
      const closed = published.stream.close();
      const error = await refusal(published.stream.append("late"));
      expect(error.name).to.equal("StreamEnded");
      expect(error.message).to.equal("append of stream s1 after its close. Fix: open a new stream for more text");
      await closed;
      expect(published.shown).to.deep.equal(["0: closed"]);
    });
  });

  describe("abort", () => {
    it("drops the text that is not published yet, and tells the client why", async () => {
      const published = new Published();
      await published.stream.append("a");
      await published.clock.advance(1);
      await published.stream.append("dropped");
      expect(await published.stream.abort("cancelled")).to.deep.equal({});
      await published.clock.advance(60_000);
      expect(published.shown).to.deep.equal(["0:a", "1: aborted cancelled"]);
      expect(published.clock.pending, "timers").to.equal(0);
    });

    it("comes after the request that is running", async () => {
      const published = new Published();
      published.latencyMs = 100;
      await published.stream.append("abc");
      const aborted = published.stream.abort("cancelled");
      await published.clock.advance(200);
      await aborted;
      expect(published.shown).to.deep.equal(["0:abc", "3: aborted cancelled"]);
    });

    it("rejects an append that waits, and later ones, and close", async () => {
      const published = new Published({ maxBufferedBytes: 3 });
      published.latencyMs = 100;
      const waiting = published.stream.append("abc");
      const aborted = published.stream.abort("cancelled");
      expect(await refusal(waiting)).to.include({ name: "StreamEnded" });
      expect((await refusal(published.stream.append("d"))).message).to.match(
        /^append of stream s1 after its abort\. Fix/,
      );
      expect((await refusal(published.stream.close())).message).to.match(/^close of stream s1 after its abort/);
      await published.clock.advance(200);
      await aborted;
    });

    it("may be called several times, with the first reason", async () => {
      const published = new Published();
      await Promise.all([published.stream.abort("first"), published.stream.abort("second")]);
      await published.stream.abort("third");
      expect(published.shown).to.deep.equal(["0: aborted first"]);
    });

    it("does nothing after close", async () => {
      const published = new Published();
      published.latencyMs = 10;
      const closed = published.stream.close();
      const aborted = published.stream.abort("too late");
      await published.clock.advance(100);
      await closed;
      expect(await aborted).to.deep.equal({});
      expect(published.shown).to.deep.equal(["0: closed"]);
    });

    it("answers the error if the client could not be told, and does not reject", async () => {
      const published = new Published();
      published.errorOf = () => denied;
      expect(await published.stream.abort("cancelled")).to.deep.equal({ error: denied });
    });

    for (const [what, reason, got] of [
      ["an empty reason", "", "of 0 characters"],
      ["a reason of 201 characters", "secret ".repeat(40).slice(0, 201), "of 201 characters"],
      ["an error as the reason", new Error("secret"), "of type object"],
    ] as const) {
      it(`refuses ${what} without quoting it, and the stream goes on`, async () => {
        const published = new Published();
        const error = (await refusal(published.stream.abort(reason as string))) as RelayInputError;
        expect(error).to.be.instanceOf(RelayInputError).and.include({ input: "reason" });
        expect(error.message).to.match(/; allowed: a string of 1 to 200 characters\. Fix: pass a short text/);
        expect(error.message).to.include(`reason is ${got}`).and.not.include("secret");
        await published.stream.append("on");
        expect(published.shown).to.deep.equal(["0:on"]);
      });
    }
  });

  describe("if a chunk is not published", () => {
    const failing = () => {
      const published = new Published({ maxBufferedBytes: 1_000_000 });
      published.errorOf = ({ text }) => (text.includes("x") ? denied : undefined);
      return published;
    };

    it("rejects later calls of append, and close, with a named error and its cause", async () => {
      const published = failing();
      await published.stream.append("abc");
      await published.clock.advance(30);
      await published.stream.append("x");
      await published.clock.advance(30);
      const error = await refusal(published.stream.append("later"));
      expect(error.name).to.equal("StreamFailed");
      expect(error.message).to.equal(
        "stream s1: the text from offset 3 on may not have been published (AuthorizationErrorException: denied). Fix: call abort, so that " +
          "the client is told, and publish the text in a new stream",
      );
      expect(error.cause).to.equal(denied);
      expect(await refusal(published.stream.close())).to.equal(error);
      expect(published.shown, "nothing after it").to.deep.equal(["0:abc", "3:x"]);
      expect(published.clock.pending, "timers").to.equal(0);
    });

    it("rejects an append that waits for room, and a close that waits for the end", async () => {
      const published = new Published({ maxBufferedBytes: 2 });
      published.latencyMs = 10;
      published.errorOf = () => denied;
      const [appended, closed] = [published.stream.append("xx"), published.stream.close()];
      await published.clock.advance(10);
      expect(await refusal(appended)).to.include({ name: "StreamFailed" });
      expect(await refusal(closed)).to.include({ name: "StreamFailed" });
    });

    it("leaves no rejection unhandled where no promise is awaited", async () => {
      const published = failing();
      void published.stream.append("x");
      void published.stream.append("x");
      void published.stream.close();
      await settled();
      void published.stream.append("x");
      void published.stream.close();
      void published.stream.abort("");
      // The set-up of the tests fails a test that leaves one.
      await settled();
      expect(published.shown).to.deep.equal(["0:x"]);
    });

    it("tells the client by abort that the text ends before that chunk", async () => {
      const published = failing();
      await published.stream.append("abc");
      void published.stream.append(`${"d".repeat(10_000)}x${"e".repeat(10_000)}`);
      await refusal(published.stream.close());
      expect(await published.stream.abort("failed")).to.deep.equal({});
      expect(published.chunks.at(-1)).to.deep.include({ offset: 10_003, text: "", end: "aborted", reason: "failed" });
    });

    it("tells the client by abort, called while the request is running, that the text ends before it", async () => {
      const published = failing();
      published.latencyMs = 10;
      await published.stream.append("x");
      const aborted = published.stream.abort("failed");
      await published.clock.advance(20);
      await aborted;
      expect(published.shown).to.deep.equal(["0:x", "0: aborted failed"]);
    });

    it("fails, too, if a request throws, whatever it throws", async () => {
      const published = new Published();
      published.errorOf = () => {
        throw "a string";
      };
      await published.stream.append("a");
      await settled();
      expect((await refusal(published.stream.append("b"))).message).to.include("(Error: a string)");
    });
  });

  for (const [what, text] of [
    ["undefined", undefined],
    ["null", null],
    ["an object", { text: "secret" }],
    ["bytes", Buffer.from("secret")],
  ] as const) {
    it(`fails with ${what} for a text, since its caller may not await append`, async () => {
      const published = new Published();
      published.latencyMs = 10;
      await published.stream.append("abc");
      const error = (await refusal(published.stream.append(text as unknown as string))) as RelayInputError;
      expect(error).to.be.instanceOf(RelayInputError).and.include({ input: "text" });
      expect(error.message)
        .to.match(/^text is .*; allowed: a string\. Fix: pass a string/)
        .and.not.include("secret");
      expect(await refusal(published.stream.append("d"))).to.equal(error);
      expect(await refusal(published.stream.close())).to.equal(error);
      const aborted = published.stream.abort("failed");
      await published.clock.advance(100);
      await aborted;
      expect(published.shown).to.deep.equal(["0:abc", "3: aborted failed"]);
    });
  }

  it("ends where the text is published if a text is refused while earlier text fails", async () => {
    const published = new Published();
    published.latencyMs = 10;
    published.errorOf = ({ text }) => (text === "abc" ? denied : undefined);
    await published.stream.append("abc");
    const refused = await refusal(published.stream.append(7 as unknown as string));
    const aborted = published.stream.abort("failed");
    await published.clock.advance(100);
    await aborted;
    expect(await refusal(published.stream.close()), "the first error").to.equal(refused);
    expect(published.shown).to.deep.equal(["0:abc", "0: aborted failed"]);
  });

  describe("shows that it is open", () => {
    it("by an empty chunk after keepAliveMs without text, from the beginning", async () => {
      const published = new Published({ keepAliveMs: 1_000 });
      await published.clock.advance(2_500);
      await published.stream.append("abc");
      await published.clock.advance(2_500);
      expect(published.shown).to.deep.equal(["0:", "0:", "0:abc", "3:", "3:"]);
      expect(published.times).to.deep.equal([1_000, 2_000, 2_500, 3_500, 4_500]);
    });

    it("at most 240 times in a row, so that a stream that is never closed ends", async () => {
      const published = new Published();
      await published.clock.advance(24 * 3_600_000);
      expect(published.chunks).to.have.lengthOf(240);
      await published.stream.append("on");
      await published.clock.advance(24 * 3_600_000);
      expect(published.chunks).to.have.lengthOf(481);
    });

    it("and goes on if that is not published", async () => {
      const published = new Published();
      published.errorOf = ({ text }) => (text === "" ? denied : undefined);
      await published.clock.advance(15_000);
      published.errorOf = () => undefined;
      await published.stream.append("abc");
      await published.stream.close();
      expect(published.shown).to.deep.equal(["0:", "0:abc", "3: closed"]);
    });

    it("by the text that waits, if a window is longer", async () => {
      const published = new Published({ rollupMs: 10_000, keepAliveMs: 1_000 });
      for (let token = 0; token < 30; token++) {
        await published.stream.append(".");
        await published.clock.advance(900);
      }
      expect(published.chunks.filter(({ text }) => text === "")).to.deep.equal([]);
      const pauses = published.times.map((atMs, index) => atMs - (published.times[index - 1] ?? 0));
      expect(Math.max(...pauses)).to.be.at.most(2_000);
    });

    it("without keeping the process running", () => {
      const program = `
        const { RelayBackend } = require("./backend");
        const sns = { send: async () => ({ Successful: [{ Id: "0" }] }) };
        const relay = new RelayBackend({ topicArn: "${topicArn}", clients: { sns } });
        relay.stream(${JSON.stringify(session)}).append("left open").then(() => console.log("appended"));`;
      const options = { cwd: repository, encoding: "utf8", timeout: 30_000 } as const;
      expect(execFileSync(process.execPath, ["-r", "./transpile", "-e", program], options)).to.equal("appended\n");
    });
  });

  describe("refuses, before anything is sent,", () => {
    const sns = { send: () => Promise.reject(new Error("was sent")) } as unknown as SNSClient;
    const backend = new RelayBackend({ topicArn, clients: { sns } });
    const refused: [what: string, options: object | undefined, input: string, says: RegExp][] = [
      ["no options", undefined, "options", /options is undefined/],
      ["an unknown key", { ...session, rollupMS: 1 }, "rollupMS", /did you mean rollupMs\?/],
      ["a scope", { user: "42", scope: "user" }, "scope", /one session: .*leave out scope.*for each session/],
      ["no user", { ...session, user: undefined }, "user", /user is missing/],
      ["a user that is a number", { ...session, user: 42 }, "user", /type number.*as a string/],
      [
        "a context with #",
        { ...session, context: "a#b" },
        "context",
        /contains #.*Fix: pass the context of the client's URL\./,
      ],
      ["no contextId", { ...session, contextId: undefined }, "contextId", /missing.*the client's URL as a string\.$/],
      ["an empty streamId", { ...session, streamId: "" }, "streamId", /of 0 characters; allowed: 1 to 100 printable/],
      ["a streamId of 101 characters", { ...session, streamId: "s".repeat(101) }, "streamId", /of 101 characters/],
      ["a streamId beyond ASCII", { ...session, streamId: "é" }, "streamId", /hash your own ID/],
      ["a streamId that is a number", { ...session, streamId: 7 }, "streamId", /of type number/],
      ["an expiresAt in the past", { ...session, expiresAt: new Date(0) }, "expiresAt", /expiresAt is 1970/],
      ["an expiresAt that is a text", { ...session, expiresAt: "2030-01-01" }, "expiresAt", /pass a Date/],
      [
        "a negative rollupMs",
        { ...session, rollupMs: -1 },
        "rollupMs",
        /is -1; allowed: a whole number from 0 to 10000/,
      ],
      ["a rollupMs of 10,001", { ...session, rollupMs: 10_001 }, "rollupMs", /is 10001/],
      ["a rollupMs that is a text", { ...session, rollupMs: "250" }, "rollupMs", /is of type string.*out for 250/],
      ["a rollupMs that is null", { ...session, rollupMs: null }, "rollupMs", /is of type object/],
      ["a keepAliveMs of 999", { ...session, keepAliveMs: 999 }, "keepAliveMs", /is 999; .* from 1000 to 3600000/],
      ["a fraction of a keepAliveMs", { ...session, keepAliveMs: 1500.5 }, "keepAliveMs", /is 1500\.5/],
      ["a maxBufferedBytes of 0", { ...session, maxBufferedBytes: 0 }, "maxBufferedBytes", /is 0; .* 1 to 104857600/],
    ];
    for (const [what, options, input, says] of refused) {
      it(what, () => {
        expect(() => backend.stream(options as StreamOptions))
          .to.throw(RelayInputError, says)
          .with.property("input", input);
      });
    }
  });

  describe("through SNS", () => {
    type Answer = { Failed?: BatchResultErrorEntry[] } | Error;
    /** SNS, which answers by what is published: the texts of a request. */
    const open = (
      answer: (texts: string[], request: number) => Answer,
      options: Partial<StreamOptions> & { arn?: string } = {},
    ) => {
      const { arn = topicArn, ...given } = options;
      const requests: { texts: string[]; ids: (string | undefined)[]; deduplication: (string | undefined)[] }[] = [];
      const send = async ({ input: { PublishBatchRequestEntries: entries = [] } }: PublishBatchCommand) => {
        const texts = entries.map(({ Message = "" }) => chunkOf(Message).text);
        requests.push({
          texts: texts.map((text) => text.slice(0, 1)),
          ids: entries.map(({ MessageAttributes }) => MessageAttributes?.messageId?.StringValue),
          deduplication: entries.map(({ MessageDeduplicationId }) => MessageDeduplicationId),
        });
        await settled();
        const answered = answer(texts, requests.length);
        if (answered instanceof Error) throw answered;
        const failed = new Set(answered.Failed?.map(({ Id }) => Id));
        return { ...answered, Successful: entries.filter(({ Id }) => !failed.has(Id)) };
      };
      const backend = new RelayBackend({ topicArn: arn, clients: { sns: { send } as unknown as SNSClient } });
      return {
        stream: backend.stream({ ...session, streamId: "s1", maxBufferedBytes: 1_000_000, ...given }),
        requests,
      };
    };
    const failed = (Id: string, SenderFault = false): BatchResultErrorEntry => ({
      Id,
      Code: SenderFault ? "InvalidParameter" : "InternalError",
      SenderFault,
      Message: "no",
    });
    const three = "a".repeat(10_000) + "b".repeat(10_000) + "c".repeat(10_000);

    it("tries a chunk again before anything later, with the same messageId", async () => {
      const { stream, requests } = open((_, request) => (request === 1 ? { Failed: [failed("1")] } : {}));
      void stream.append(three);
      await stream.close();
      expect(requests.map(({ texts }) => texts)).to.deep.equal([["a", "b", "c"], ["b"], [""]]);
      expect(requests.map(({ ids }) => ids)).to.deep.equal([["s1:1", "s1:2", "s1:3"], ["s1:2"], ["s1:4"]]);
    });

    it("fails after the third attempt of a chunk", async () => {
      const { stream, requests } = open((texts) => (texts.includes("x") ? { Failed: [failed("0")] } : {}));
      await stream.append("x");
      expect((await refusal(stream.close())).message).to.include("the text from offset 0 on");
      expect(requests.map(({ texts }) => texts)).to.deep.equal([["x"], ["x"], ["x"]]);
    });

    it("fails at once if SNS refuses a chunk", async () => {
      const { stream, requests } = open(() => ({ Failed: [failed("0", true)] }));
      await stream.append("x");
      expect(await refusal(stream.close()))
        .to.have.property("cause")
        .with.property("name", "InvalidParameter");
      expect(requests).to.have.lengthOf(1);
    });

    it("fails if the SDK gives up on a request", async () => {
      const { stream, requests } = open(() => denied);
      await stream.append("x");
      expect(await refusal(stream.close())).to.have.property("cause", denied);
      expect(requests).to.have.lengthOf(1);
    });

    it("tries a chunk again on a FIFO topic, too, since its offset says where it belongs", async () => {
      const arn = `${topicArn}.fifo`;
      const { stream, requests } = open((_, request) => (request === 1 ? { Failed: [failed("1")] } : {}), { arn });
      void stream.append(three);
      await stream.close();
      expect(requests.map(({ texts }) => texts)).to.deep.equal([["a", "b", "c"], ["b"], [""]]);
      const ids = requests.flatMap(({ deduplication }) => deduplication);
      expect(new Set(ids).size).to.equal(4);
      expect(ids[3], "of both attempts").to.equal(ids[1]);
    });

    it("fails with the reason once expiresAt has passed", async () => {
      const expiresAt = new Date(Date.now() + 60_000);
      const { stream, requests } = open(() => ({}), { expiresAt });
      await stream.append("in time");
      await settled();
      expiresAt.setTime(Date.now() - 1);
      const error = await refusal(stream.close());
      expect(error).to.include({ name: "StreamFailed" });
      expect(error.message).to.match(/\(RelayInputError: expiresAt is .*, and now is /);
      expect(requests).to.have.lengthOf(1);
    });

    it("gives each stream its own random UUID by default", () => {
      const ids = [1, 2].map(() => open(() => ({}), { streamId: undefined }).stream.id);
      expect(ids[0]).to.match(/^[0-9a-f-]{36}$/);
      expect(ids[0]).not.to.equal(ids[1]);
    });
  });
});
