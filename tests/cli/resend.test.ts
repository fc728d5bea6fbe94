import { expect } from "chai";
import type { RetryMessage } from "../../cli/deadLetters/deadLetterQueue";
import { resend } from "../../cli/history/resend";
import { run } from "../../cli/program";
import type { StoredMessage } from "../../handlers/history/history";
import type { SessionKey } from "../../handlers/sessions/sessionKey";
import { key, messageOf, now, retentionMs } from "../handlers/history/segments";
import { appendTo } from "../handlers/sweepers/segments";
import { MemoryHistory } from "../support/memoryHistory";

const other: SessionKey = { callerId: "user#43", context: "chat#7#8" };

function setUp() {
  const history = new MemoryHistory();
  const sent: RetryMessage[] = [];
  const clock = { now };
  /** Bodies that the queue refuses. */
  const refused = new Set<string>();
  const queue = {
    send: (message: RetryMessage) => {
      if (refused.has(message.body)) return Promise.reject(new Error("refused"));
      sent.push(message);
      return Promise.resolve();
    },
  };
  const controller = new AbortController();
  return {
    ...{ history, sent, clock, refused, controller },
    store: (session: SessionKey, messages: readonly StoredMessage[]) =>
      appendTo(session, messages, { history, retentionMs, now: () => clock.now, newEpoch: () => "e1" }),
    run: (dryRun = false) =>
      resend(history, queue, { dryRun, now: () => new Date(clock.now), signal: controller.signal }),
  };
}

describe("resend", () => {
  it("sends the messages that no client has acknowledged, in order, as they were published to their session", async () => {
    const { history, store, sent, run } = setUp();
    const attributes = { trace: { dataType: "String" as const, stringValue: "t-1" } };
    const expiresAtMs = now + 60_000;
    await store(key, [messageOf("m1"), messageOf("m2", { attributes }), messageOf("m3", { expiresAtMs })]);
    await store(other, [messageOf("o1")]);
    await history.acknowledge(key, { epoch: "e1", seq: 1 });

    const resent = await run();

    const text = (StringValue: string) => ({ DataType: "String", StringValue });
    const ofSession = { user: text("42"), context: text("chat"), contextId: text("7") };
    const own = sent.filter(({ body }) => body !== "body of o1");
    expect(own.map(({ body, attributes }) => ({ body, attributes }))).to.deep.equal([
      {
        body: "body of m2",
        attributes: { trace: text("t-1"), ...ofSession, messageId: text("m2") },
      },
      {
        body: "body of m3",
        attributes: { ...ofSession, messageId: text("m3"), expiresAt: text(new Date(expiresAtMs).toISOString()) },
      },
    ]);
    expect(sent.find(({ body }) => body === "body of o1")?.attributes).to.include.keys("user");
    expect(
      resent.map(({ messageId, user, contextId, outcome }) => [messageId, user, contextId, outcome]),
    ).to.have.deep.members([
      ["m2", "42", "7", "resent"],
      ["m3", "42", "7", "resent"],
      ["o1", "43", "7#8", "resent"],
    ]);
  });

  it("sends nothing again in another run, since it acknowledges what it has sent", async () => {
    const { store, sent, run } = setUp();
    await store(key, [messageOf("m1"), messageOf("m2")]);
    await run();
    expect(await run()).to.deep.equal([]);
    expect(sent).to.have.length(2);
  });

  it("finds a session whose newest segments are not the ones in the index", async () => {
    const { history, store, clock, run } = setUp();
    for (const id of ["m1", "m2", "m3"]) {
      await store(key, [messageOf(id)]);
      clock.now += 120_000;
    }
    expect(history.segments(key).map(({ isMarked }) => isMarked)).to.include(false);
    expect((await run()).map(({ messageId }) => messageId)).to.deep.equal(["m1", "m2", "m3"]);
  });

  it("leaves out what has expired, by the retention or its own expiresAt", async () => {
    const { store, clock, run } = setUp();
    await store(other, [messageOf("old")]);
    clock.now += retentionMs;
    await store(key, [messageOf("m1", { expiresAtMs: clock.now + 1_000 }), messageOf("m2")]);
    clock.now += 1_000;
    expect((await run()).map(({ messageId }) => messageId)).to.deep.equal(["m2"]);
  });

  it("only lists them in a dry run", async () => {
    const { history, store, sent, run } = setUp();
    await store(key, [messageOf("m1")]);
    history.calls.length = 0;
    expect(await run(true)).to.deep.equal([
      {
        messageId: "m1",
        user: "42",
        context: "chat",
        contextId: "7",
        storedAt: new Date(now).toISOString(),
        expiresAt: new Date(now + retentionMs).toISOString(),
        bytes: 10,
        notes: [],
        outcome: "would-be-resent",
      },
    ]);
    expect(sent).to.deep.equal([]);
    expect(history.calls.filter((call) => call.startsWith("acknowledge"))).to.deep.equal([]);
  });

  it("lets no message overtake one that could not be sent, and sends the rest the next time", async () => {
    const { store, sent, refused, run } = setUp();
    await store(key, [messageOf("m1"), messageOf("m2"), messageOf("m3")]);
    await store(other, [messageOf("o1")]);
    refused.add("body of m2");
    const outcomes = (await run()).map(({ messageId, outcome }) => `${messageId} ${outcome}`);
    expect(outcomes).to.have.members(["m1 resent", "m2 failed", "m3 skipped", "o1 resent"]);
    refused.clear();
    expect((await run()).map(({ messageId }) => messageId)).to.deep.equal(["m2", "m3"]);
    expect(sent.map(({ body }) => body).filter((body) => body !== "body of o1")).to.deep.equal(
      ["m1", "m2", "m3"].map((id) => `body of ${id}`),
    );
  });

  it("drops attributes that do not fit, and says so", async () => {
    const { store, sent, run } = setUp();
    const names = Array.from({ length: 8 }, (_, i) => `a${i}`);
    const attributes = Object.fromEntries(
      names.map((name) => [name, { dataType: "String" as const, stringValue: "x" }]),
    );
    await store(key, [messageOf("m1", { attributes })]);
    const [message] = await run();
    expect(message?.notes).to.deep.equal(["without the attributes a6, a7: a message has at most ten"]);
    expect(Object.keys(sent[0]?.attributes ?? {})).to.have.length(10);
  });

  it("sends nothing more after Ctrl-C", async () => {
    const { store, run, controller, history } = setUp();
    await store(key, [messageOf("m1"), messageOf("m2")]);
    history.beforeCall = (name) => {
      if (name.startsWith("readOn") || name.startsWith("readBack")) controller.abort();
      return Promise.resolve();
    };
    expect((await run()).map(({ outcome }) => outcome)).to.deep.equal(["skipped", "skipped"]);
  });
});

describe("history resend", () => {
  const addresses = {
    topicArn: "arn:aws:sns:eu-west-1:111122223333:topic",
    queueUrl: "https://sqs.eu-west-1.amazonaws.com/111122223333/queue",
  };

  async function problem(given: object, ...args: string[]): Promise<string> {
    const noted: string[] = [];
    const terminal = {
      print: (text: string) => void noted.push(text),
      note: (text: string) => void noted.push(text),
      confirm: () => Promise.reject(new Error("not asked")),
      interrupted: new AbortController().signal,
    };
    const sources = {
      readFile: () => Promise.reject(new Error("not read")),
      readStdin: () => Promise.resolve(JSON.stringify(given)),
      stackOutput: () => Promise.reject(new Error("not read")),
    };
    expect(await run(["--addresses", "-", "history", "resend", ...args], terminal, sources)).to.equal(1);
    return noted.join("\n");
  }

  it("is refused for a relay in replay mode, which would drop the messages as copies", async () => {
    expect(await problem({ ...addresses, delivery: "replay", historyTableName: "h" })).to.match(
      /delivery: got "replay".*allowed: "retry"\. Fix: switch the stack first/,
    );
  });

  it("is refused without a table", async () => {
    expect(await problem({ ...addresses, delivery: "retry", historyTableName: null })).to.match(
      /--table: got none.*Fix: pass the historyTableName that the stack had before the switch/,
    );
  });
});
