import { createHash } from "node:crypto";
import { expect } from "chai";
import { type DeadLetterFilter } from "../../cli/deadLetters/deadLetterFilter";
import { purge } from "../../cli/deadLetters/purge";
import { redrive } from "../../cli/deadLetters/redrive";
import { attributesOf, deadLetter, MemoryLetterQueue, MemoryRetryQueue } from "./memoryQueue";

const now = () => new Date("2026-11-25T12:00:00Z");
const { signal } = new AbortController();
const to = { user: "42", context: "chat", contextId: "7" };
const dead = { reason: "no-session", attempts: "10", originalMessageId: "first" };

async function redriven(deadLetters: ReturnType<typeof deadLetter>[], filter: DeadLetterFilter = {}, dryRun = false) {
  const queue = new MemoryLetterQueue(deadLetters);
  const retryQueue = new MemoryRetryQueue();
  const result = await redrive(queue, retryQueue, { filter, dryRun, now, signal });
  return { ...result, queue, sent: retryQueue.sent };
}

const valuesOf = (attributes: Record<string, { StringValue?: string }> = {}) =>
  Object.fromEntries(Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue]));

describe("redrive", () => {
  it("sends body and attributes without reason and attempts, in the dead letter's group, and deletes the dead letter", async () => {
    const values = { ...to, messageId: "own", tenant: "t1", ...dead };
    const { sent, queue, letters: deadLetters } = await redriven([deadLetter("a", { values, messageGroupId: "g1" })]);
    expect(sent).to.have.lengthOf(1);
    expect(sent[0]).to.deep.include({ body: "body of a", messageGroupId: "g1" });
    expect(valuesOf(sent[0]?.attributes)).to.deep.equal({
      ...to,
      messageId: "own",
      tenant: "t1",
      originalMessageId: "first",
    });
    expect(queue.deadLetters).to.deep.equal([]);
    expect(deadLetters).to.have.lengthOf(1);
    expect(deadLetters[0]).to.deep.include({ id: "a", outcome: "redriven", notes: [], newMessageId: undefined });
  });

  it("sends a dead letter without a group in its session's group", async () => {
    const { sent } = await redriven([deadLetter("a")]);
    const group = createHash("sha256").update('["user#42","chat#7"]').digest("hex");
    expect(sent[0]?.messageGroupId).to.equal(group);
  });

  for (const [scoped, group] of [
    [{ user: "42", scope: "user" }, '["user#42"]'],
    [{ user: "42", context: "chat", scope: "context" }, '["user#42","chat"]'],
  ] as const) {
    it(`sends a dead letter for all sessions of the ${scoped.scope} with its scope, in the scope's group`, async () => {
      const values = { ...scoped, ...dead, reason: "too-many-sessions" };
      const { sent } = await redriven([deadLetter("a", { values })], { user: "42", reason: "too-many-sessions" });
      expect(valuesOf(sent[0]?.attributes)).to.deep.equal({ ...scoped, originalMessageId: "first" });
      expect(sent[0]?.messageGroupId).to.equal(createHash("sha256").update(group).digest("hex"));
    });
  }

  it("keeps every attribute of the relay's on a dead letter with a scope, and drops others first", async () => {
    const ours = { user: "42", context: "chat", scope: "context", messageId: "own", idempotencyKey: "pay-7" };
    const values = { ...ours, expiresAt: "2026-11-25T13:00:00Z", ...dead, c: "1", b: "1", a: "1", d: "1" };
    const { sent } = await redriven([deadLetter("a", { values })]);
    expect(valuesOf(sent[0]?.attributes)).to.have.all.keys(
      ...Object.keys(ours),
      ...["expiresAt", "originalMessageId", "a", "b", "c"],
    );
  });

  it("uses the ID of a dead letter that the queue moved as the original ID, and keeps a backend's own reason", async () => {
    const { sent, letters: deadLetters } = await redriven([
      deadLetter("moved", { values: { ...to, reason: "birthday" } }),
    ]);
    expect(valuesOf(sent[0]?.attributes)).to.deep.equal({ ...to, reason: "birthday", originalMessageId: "moved" });
    expect(deadLetters[0]?.reason).to.equal(undefined);
  });

  const expired: [string, Record<string, string>][] = [
    ["that was dead-lettered as expired", { ...dead, reason: "expired", expiresAt: "2026-11-25T11:00:00Z" }],
    ["that expired in the dead-letter queue", { ...dead, expiresAt: "2026-11-25T12:00:00Z" }],
  ];
  for (const [which, values] of expired) {
    it(`redrives a dead letter ${which} as a new message, without expiresAt and with its own ID`, async () => {
      const { sent, letters: deadLetters } = await redriven([
        deadLetter("a", { values: { ...to, messageId: "own", ...values } }),
      ]);
      const newMessageId = deadLetters[0]?.newMessageId;
      expect(newMessageId).to.match(/^[0-9a-f-]{36}$/);
      expect(valuesOf(sent[0]?.attributes)).to.deep.equal({
        ...to,
        messageId: newMessageId,
        originalMessageId: "first",
      });
      expect(deadLetters[0]?.notes).to.deep.equal(["expired, so sent as a new message without expiresAt"]);
    });
  }

  it("keeps an expiresAt in the future", async () => {
    const expiresAt = "2026-11-25T12:00:01Z";
    const { sent, letters: deadLetters } = await redriven([deadLetter("a", { values: { ...to, ...dead, expiresAt } })]);
    expect(valuesOf(sent[0]?.attributes).expiresAt).to.equal(expiresAt);
    expect(deadLetters[0]?.newMessageId).to.equal(undefined);
  });

  const hopeless: [string, ReturnType<typeof deadLetter>, RegExp][] = [
    [
      "without contextId",
      deadLetter("a", { values: { user: "42", context: "chat", ...dead } }),
      /missing-attribute: contextId/,
    ],
    [
      "with a scope and a contextId",
      deadLetter("a", { values: { ...to, scope: "context", ...dead } }),
      /unusable-attribute: scope is context, which excludes contextId/,
    ],
    [
      "with an unusable context",
      deadLetter("a", { values: { ...to, context: "a#b", ...dead } }),
      /unusable-attribute: /,
    ],
    ["over 128 KB", deadLetter("a", { body: "x".repeat(131_073) }), /payload-too-large.*in parts/],
    [
      "that the gateway rejected as too large",
      deadLetter("a", { values: { ...to, ...dead, reason: "payload-too-large" } }),
      /payload-too-large/,
    ],
  ];
  for (const [which, each, reason] of hopeless) {
    it(`refuses a dead letter ${which}, which can never be delivered, with a fix, and keeps it`, async () => {
      const { sent, queue, letters: deadLetters } = await redriven([each]);
      expect(sent).to.deep.equal([]);
      expect(queue.visible).to.deep.equal(["a"]);
      expect(deadLetters[0]?.outcome).to.equal("refused");
      expect(deadLetters[0]?.notes.join())
        .to.match(reason)
        .and.match(/publish it again.*then purge it/);
    });
  }

  it("drops attributes that the relay does not need if there are too many, and lists them", async () => {
    const others = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`x${index}`, "1"]));
    const { sent, letters: deadLetters } = await redriven([
      deadLetter("a", { values: { ...others, ...to, messageId: "own" } }),
    ]);
    expect(Object.keys(sent[0]?.attributes ?? {}).sort()).to.deep.equal(
      ["user", "context", "contextId", "messageId", "originalMessageId", "x0", "x1", "x2", "x3", "x4"].sort(),
    );
    expect(deadLetters[0]?.notes).to.deep.equal(["without the attributes x5, x6, x7: a message has at most ten"]);
  });

  it("redrives dead letters that match every filter, and releases the others", async () => {
    const values = (user: string, reason: string) => ({
      ...to,
      user,
      ...dead,
      originalMessageId: `${user}${reason}`,
      reason,
    });
    const deadLetters = [
      deadLetter("a", { values: values("1", "no-session") }),
      deadLetter("b", { values: values("1", "held-back: no-session") }),
      deadLetter("c", { values: values("2", "no-session") }),
    ];
    const { queue, sent } = await redriven(deadLetters, { user: "1", reason: "no-session" });
    expect(sent.map(({ body }) => body)).to.deep.equal(["body of a"]);
    expect(queue.visible).to.deep.equal(["b", "c"]);
  });

  it("keeps a dead letter that could not be sent, and continues with the others", async () => {
    const queue = new MemoryLetterQueue([deadLetter("a"), deadLetter("b")]);
    const retryQueue = new MemoryRetryQueue();
    retryQueue.fail = ({ body }) => (body === "body of a" ? new Error("throttled") : undefined);
    const { letters: deadLetters } = await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal });
    expect(queue.visible).to.deep.equal(["a"]);
    expect(deadLetters.map(({ id, outcome }) => [id, outcome])).to.deep.equal([
      ["a", "failed"],
      ["b", "redriven"],
    ]);
    expect(deadLetters[0]?.notes).to.deep.equal(["not sent, and not deleted: throttled"]);
  });

  it("warns of a second send if a dead letter was sent but could not be deleted", async () => {
    const queue = new MemoryLetterQueue([deadLetter("a")]);
    queue.failDelete = new Error("no network");
    const retryQueue = new MemoryRetryQueue();
    const { letters: deadLetters } = await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal });
    expect(retryQueue.sent).to.have.lengthOf(1);
    expect(queue.visible).to.deep.equal(["a"]);
    expect(deadLetters[0]?.outcome).to.equal("failed");
    expect(deadLetters[0]?.notes.join()).to.match(/another redrive would send it again: no network/);
  });

  it("does not redrive a message in a loop that fails again at once", async () => {
    const queue = new MemoryLetterQueue([deadLetter("a")]);
    const retryQueue = new MemoryRetryQueue();
    queue.meanwhile = () => {
      const again = retryQueue.sent.length;
      if (queue.deadLetters.length === 0) queue.deadLetters.push({ ...deadLetter("a"), id: `again${again}` });
    };
    const { letters: deadLetters } = await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal });
    expect(retryQueue.sent).to.have.lengthOf(1);
    expect(deadLetters.map(({ id, outcome }) => [id, outcome])).to.deep.equal([
      ["a", "redriven"],
      ["again1", "skipped"],
    ]);
    expect(queue.visible).to.deep.equal(["again1"]);
  });

  it("sends nothing in a dry run, and lists what it would send", async () => {
    const expired = { values: { ...to, messageId: "own", ...dead, reason: "expired" } };
    const deadLetters = [deadLetter("a"), deadLetter("b", { values: { user: "42" } }), deadLetter("c", expired)];
    const result = await redriven(deadLetters, {}, true);
    expect(result.sent).to.deep.equal([]);
    expect(result.queue.visible).to.deep.equal(["a", "b", "c"]);
    expect(result.letters.map(({ outcome, newMessageId }) => [outcome, newMessageId])).to.deep.equal([
      ["would-be-redriven", undefined],
      ["refused", undefined],
      ["would-be-redriven", undefined],
    ]);
  });

  it("finishes started dead letters when it is interrupted, and keeps the others", async () => {
    const queue = new MemoryLetterQueue(Array.from({ length: 15 }, (_, index) => deadLetter(`l${index}`)));
    const interrupt = new AbortController();
    const retryQueue = new MemoryRetryQueue();
    retryQueue.fail = () => {
      if (retryQueue.sent.length === 2) interrupt.abort();
      return undefined;
    };
    const { scan } = await redrive(queue, retryQueue, { filter: {}, dryRun: false, now, signal: interrupt.signal });
    expect(scan.ended).to.equal("interrupted");
    expect(queue.deleted).to.have.lengthOf(retryQueue.sent.length);
    expect(queue.visible)
      .to.have.lengthOf(15 - retryQueue.sent.length)
      .and.not.have.lengthOf(0);
  });

  it("unwraps SNS's envelope of a dead letter with too many attributes", async () => {
    const { opened } = require("../../cli/deadLetters/deadLetter") as typeof import("../../cli/deadLetters/deadLetter");
    const envelope = {
      Type: "Notification",
      MessageId: "m",
      TopicArn: "arn:aws:sns:eu-west-1:111122223333:topic",
      Message: "hello",
      MessageAttributes: {
        user: { Type: "String", Value: "42" },
        picture: { Type: "Binary", Value: "AQI=" },
      },
    };
    const { body, attributes } = opened(deadLetter("a", { values: {}, body: JSON.stringify(envelope) }));
    expect(body).to.equal("hello");
    expect(attributes).to.deep.equal({
      user: { DataType: "String", StringValue: "42" },
      picture: { DataType: "Binary", BinaryValue: Buffer.from([1, 2]) },
    });
    for (const plain of ["hello", "null", "[1]", '{"Type":"Notification"}']) {
      expect(opened(deadLetter("a", { values: {}, body: plain })).body, plain).to.equal(plain);
    }
    for (const attribute of [null, "42", { Type: "String" }, { Type: "String", Value: 42 }]) {
      const plain = JSON.stringify({ ...envelope, MessageAttributes: { user: attribute } });
      expect(opened(deadLetter("a", { values: {}, body: plain })).body, plain).to.equal(plain);
    }
    const raw = deadLetter("a", { body: JSON.stringify(envelope), attributes: attributesOf({ user: "1" }) });
    expect(opened(raw), "a payload that looks like one").to.equal(raw);
  });
});

describe("purge", () => {
  it("deletes only matching dead letters", async () => {
    const queue = new MemoryLetterQueue([deadLetter("a"), deadLetter("b", { values: { ...to, user: "other" } })]);
    const { letters: deadLetters } = await purge(queue, { filter: { user: "42" }, signal });
    expect(queue.visible).to.deep.equal(["b"]);
    expect(deadLetters.map(({ id, outcome }) => [id, outcome])).to.deep.equal([["a", "purged"]]);
  });

  it("deletes only the given IDs", async () => {
    const queue = new MemoryLetterQueue([deadLetter("a"), deadLetter("came-later")]);
    await purge(queue, { filter: {}, ids: new Set(["a"]), signal });
    expect(queue.visible).to.deep.equal(["came-later"]);
  });

  it("reports dead letters that could not be deleted", async () => {
    const queue = new MemoryLetterQueue([deadLetter("a")]);
    queue.failDelete = new Error("denied");
    const { letters: deadLetters } = await purge(queue, { filter: {}, signal });
    expect(deadLetters[0]).to.deep.include({ outcome: "failed", notes: ["not deleted: denied"] });
    expect(queue.visible).to.deep.equal(["a"]);
  });
});
