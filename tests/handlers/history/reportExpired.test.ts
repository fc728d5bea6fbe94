import { expect } from "chai";
import { METRICS } from "../../../handlers/metrics";
import { reportExpired } from "../../../handlers/history/reportExpired";
import type { Entry } from "../../../handlers/history/history";
import { refusal } from "../../support/refusal";
import { MemoryQueue, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { entriesOf } from "../../../handlers/history/segment";
import { type GivenSegment, key, now, segmentOf } from "./segments";
import { MemoryReceipts } from "../receipts/memoryReceipts";

function setUp(hasQueue = true) {
  const queue = new MemoryQueue();
  const receipts = new MemoryReceipts();
  const log = new RecordedLog();
  const metrics = new RecordedMetrics();
  const dependencies = { deadLetters: hasQueue ? queue : undefined, receipts, log, metrics, now: () => now };
  const report = (expired: Parameters<typeof reportExpired>[1]) => reportExpired(key, expired, dependencies);
  return { queue, receipts, log, metrics, report };
}

function entryOf(seq: number, given: GivenSegment & { attributes?: Entry["attributes"] } = {}): Entry {
  const { attributes = {}, ...segment } = given;
  const [entry] = entriesOf(segmentOf(seq, segment));
  if (!entry) throw new Error("a segment has at least one message");
  return { ...entry, attributes };
}

const text = (stringValue: string) => ({ dataType: "String" as const, stringValue });

describe("reportExpired", () => {
  it("dead-letters the message as it was published, publishes its receipt, counts and logs it", async () => {
    const { queue, receipts, log, metrics, report } = setUp();
    const entry = entryOf(3, {
      expiresAtMs: now - 1,
      attributes: { tenant: text("a"), bin: { dataType: "Binary", binaryValue: "eA==" } },
    });
    await report([{ entry, reason: "expires-at" }]);
    expect(queue.deadLetters).to.have.length(1);
    const [deadLetter] = queue.deadLetters;
    expect(deadLetter).to.deep.include({ body: "body of m3", dropped: [] });
    expect(deadLetter?.messageGroupId).to.match(/^[0-9a-f]{64}$/);
    expect(deadLetter?.attributes).to.deep.equal({
      user: text("42"),
      context: text("chat"),
      contextId: text("7"),
      messageId: text("m3"),
      expiresAt: text("2023-11-14T22:13:19.999Z"),
      tenant: text("a"),
      bin: { dataType: "Binary", binaryValue: "eA==" },
      reason: text("expired"),
      attempts: { dataType: "Number", stringValue: "0" },
      originalMessageId: text("m3"),
    });
    expect(receipts.published).to.deep.equal([
      {
        status: "expired",
        reason: "expires-at",
        messageId: "m3",
        user: "42",
        context: "chat",
        contextId: "7",
        epoch: "e1",
        seq: 3,
        at: "2023-11-14T22:13:20.000Z",
      },
    ]);
    metrics.flush();
    expect(metrics.flushes).to.deep.equal([
      [
        { name: METRICS.expired, value: 1, reason: "expires-at" },
        { name: METRICS.deadLettered, value: 1, reason: "expired" },
        { name: METRICS.deadLetteredUserAway, value: 1, reason: undefined },
      ],
    ]);
    expect(log.lines).to.deep.equal([
      {
        level: "warn",
        event: "expired",
        messageId: "m3",
        seq: 3,
        callerId: "user#42",
        context: "chat#7",
        reason: "expires-at",
        deadLettered: true,
      },
    ]);
  });

  it("dead-letters nothing where the stack does not ask for that, and does the rest", async () => {
    const { queue, receipts, log, metrics, report } = setUp(false);
    await report([{ entry: entryOf(3), reason: "retention" }]);
    expect(queue.deadLetters).to.deep.equal([]);
    expect(receipts.published).to.have.length(1);
    metrics.flush();
    expect(metrics.flushes).to.deep.equal([[{ name: METRICS.expired, value: 1, reason: "retention" }]]);
    expect(log.lines[0]).to.include({ event: "expired", deadLettered: false });
  });

  it("publishes no receipt, and counts nothing, of a message that may not be in the dead-letter queue", async () => {
    const { queue, receipts, log, metrics, report } = setUp();
    queue.deadLetterFails = true;
    expect((await refusal(report([{ entry: entryOf(3), reason: "retention" }]))).message).to.equal("deadLetter fails");
    expect(receipts.calls).to.deep.equal([]);
    metrics.flush();
    expect(metrics.flushes).to.deep.equal([[]]);
    expect(log.lines).to.deep.equal([]);
  });

  it("counts nothing where the receipts may not have been taken", async () => {
    const { receipts, metrics, log, report } = setUp();
    receipts.fails = true;
    expect((await refusal(report([{ entry: entryOf(3), reason: "retention" }]))).message).to.equal("publish fails");
    metrics.flush();
    expect(metrics.flushes).to.deep.equal([[]]);
    expect(log.lines).to.deep.equal([]);
  });

  it("does nothing where nothing has expired", async () => {
    const { receipts, report } = setUp();
    await report([]);
    expect(receipts.calls).to.deep.equal([]);
  });

  it("logs no payload", async () => {
    const { log, report } = setUp();
    await report([
      { entry: entryOf(3, { body: "secret", attributes: { secret: text("secret") } }), reason: "retention" },
    ]);
    expect(log.lines).to.have.length(1);
    expect(log.text).not.to.contain("secret");
  });
});
