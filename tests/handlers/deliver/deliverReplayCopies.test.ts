import { expect } from "chai";
import { sqsRecord } from "../../support/events";
import { hashOfId } from "../../../handlers/history/recentIds";
import { key, now, segmentOf } from "../history/segments";
import { retentionMs, setUp } from "./deliverReplaySetUp";

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

type Attributes = Record<string, string>;

/** A queue's message, accepted now unless the test says when. */
const record = (n: number, attributes: Attributes = {}, given: Parameters<typeof sqsRecord>[0] = {}) =>
  sqsRecord({ messageId: uuid(n), sentAtMs: now, attributes, ...given });

/** What was counted, with its value. */
function counted({ metrics }: Pick<ReturnType<typeof setUp>, "metrics">): string[] {
  return metrics.flushes
    .flat()
    .filter(({ name }) => name === "Duplicates" || name === "MessageIdConflicts")
    .map(({ name, value }) => `${name} ${value}`);
}

/** Stores a message at that time whose segment carries no ids, and starts a new environment. */
async function forget({ history, restart }: ReturnType<typeof setUp>, first: number, storedAtMs: number) {
  restart();
  const recent = { coveredFromMs: storedAtMs + 1, groups: [] };
  await history.put(key, segmentOf(first, { storedAtMs, recent }));
  history.calls.length = 0;
}

describe("deliver in replay mode: copies", () => {
  it("counts a copy with the publisher's id once, and a redelivery not at all", async () => {
    const relay = setUp();
    await relay.run(record(1, { messageId: "order-7" }));
    await relay.run(record(1, { messageId: "order-7" }, { attempt: 2 }));
    expect(counted(relay)).to.deep.equal([]);
    await relay.run(record(2, { messageId: "order-7" }, { body: `body of ${uuid(1)}` }));
    await relay.run(record(2, { messageId: "order-7" }, { body: `body of ${uuid(1)}`, attempt: 2 }));
    expect(counted(relay)).to.deep.equal(["Duplicates 1"]);
    expect(relay.stored()).to.deep.equal(["1 order-7"]);
  });

  it("counts and logs a copy with another body, and posts the first one", async () => {
    const relay = setUp();
    await relay.run(record(1, { messageId: "order-7" }, { body: "first" }));
    await relay.run(record(2, { messageId: "order-7" }, { body: "second" }));
    expect(counted(relay)).to.deep.equal(["Duplicates 1", "MessageIdConflicts 1"]);
    expect(relay.log.lines.filter(({ level }) => level === "warn")).to.deep.equal([
      {
        level: "warn",
        event: "another body with a messageId that is known: clients get the first one",
        messageId: "order-7",
        sqsMessageId: uuid(2),
        epoch: "e1",
        seq: 1,
      },
    ]);
    expect(relay.envelopes().map((envelope) => "body" in envelope && envelope.body)).to.deep.equal(["first", "first"]);
    expect(relay.log.text).to.not.contain("second");
  });

  it("does not compare with a body that is gone", async () => {
    const relay = setUp();
    await relay.run(record(1, { messageId: "order-7" }, { body: "first" }));
    await relay.history.addReported(key, 1, [0]);
    await relay.run(record(2, { messageId: "order-7" }, { body: "second" }));
    expect(counted(relay)).to.deep.equal(["Duplicates 1"]);
  });

  for (const [name, attributes, sentAtMs, isCopy] of [
    ["the publisher's id, published 60 s after the first was stored", { messageId: "m1" }, now + 60_000, true],
    ["the publisher's id, published later than that", { messageId: "m1" }, now + 60_001, false],
    ["the queue's id, accepted before it was stored", {}, now, true],
  ] as const) {
    it(`${isCopy ? "recognizes" : "stores"} a message with ${name}, although later segments do not carry it`, async () => {
      const relay = setUp();
      await relay.run(record(1, attributes, { sentAtMs: now }));
      await forget(relay, 2, now + 50_000);
      relay.clock.now = sentAtMs + 100_000;
      await relay.run(record(1, attributes, { sentAtMs }));
      expect(relay.stored()).to.have.lengthOf(isCopy ? 2 : 3);
    });
  }

  it("does not read back again what an environment has read, while the session's messages follow each other", async () => {
    const relay = setUp();
    await relay.run(record(1));
    await forget(relay, 2, now + 50_000);
    const own = (n: number) => record(n, { messageId: `m${n}` }, { sentAtMs: now + 80_000 });
    await relay.run(own(4));
    await relay.run(own(5));
    // Another environment stores one in between, and the table has room for one id.
    const recent = { coveredFromMs: now + 50_001, groups: [{ storedAtMs: now + 80_000, hashes: [hashOfId("m5")] }] };
    await relay.history.put(key, segmentOf(5, { storedAtMs: now + 80_000, recent }));
    await relay.run(own(6));
    expect(relay.history.calls).to.deep.equal([
      "readBack",
      "readBack",
      "put",
      // They begin with the segment that the one before has stored. The last one loses a race, and reads.
      "put",
      "put",
      "put",
      "readBack",
      "put",
    ]);
    // Of those in between, more is missing.
    for (const first of [7, 8]) {
      const none = { coveredFromMs: now + 90_001, groups: [] };
      await relay.history.put(key, segmentOf(first, { storedAtMs: now + 90_000, recent: none }));
    }
    relay.history.calls.length = 0;
    expect(await relay.run(own(4))).to.deep.equal([]);
    expect(relay.history.calls.filter((call) => call === "put")).to.deep.equal([]);
  });

  it("forgets what it has read of a log that began again", async () => {
    const relay = setUp();
    await relay.run(record(1, { messageId: "m1" }), record(2, { messageId: "m2" }));
    relay.history.log(key).segments.clear();
    const recent = { coveredFromMs: 0, groups: [] };
    await relay.history.put(key, segmentOf(1, { epoch: "e2", storedAtMs: now, recent }));
    await relay.run(record(3, { messageId: "m2" }));
    expect(relay.stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  it("reads back once for all messages of a batch", async () => {
    const relay = setUp();
    await relay.run(record(1));
    await forget(relay, 2, now + 50_000);
    await forget(relay, 3, now + 60_000);
    await relay.run(...[4, 5, 6].map((n) => record(n, { messageId: `m${n}` }, { sentAtMs: now + 80_000 })));
    // The tail, the second, and the first, which is old enough.
    expect(relay.history.calls).to.deep.equal(["readBack", "readBack", "readBack", "put"]);
  });

  it("seeks a redriven dead letter through the whole retention, by its own id or its first one", async () => {
    for (const attributes of [{}, { messageId: "order-7" }] as Attributes[]) {
      const relay = setUp();
      await relay.run(record(1, attributes));
      await forget(relay, 2, now + 1_000_000);
      relay.clock.now = now + retentionMs - 1;
      const redriven = record(
        9,
        { ...attributes, originalMessageId: uuid(1) },
        { sentAtMs: relay.clock.now, body: `body of ${uuid(1)}` },
      );
      await relay.run(redriven);
      expect(relay.stored()).to.deep.equal([`1 ${attributes.messageId ?? uuid(1)}`, "2 m2"]);
      expect(counted(relay)).to.deep.equal(["Duplicates 1"]);
    }
  });

  it("stores a redriven dead letter that was never stored, once, under its first id", async () => {
    const relay = setUp();
    const redriven = (n: number) => record(n, { originalMessageId: uuid(1) });
    await relay.run(redriven(8), redriven(9));
    expect(relay.stored()).to.deep.equal([`1 ${uuid(1)}`]);
  });

  it("takes an attribute originalMessageId of a backend's own, which is no id of a queue, for nothing", async () => {
    const relay = setUp();
    await relay.run(record(1, { originalMessageId: "order-7" }), record(2, { originalMessageId: "order-7" }));
    expect(relay.stored()).to.deep.equal([`1 ${uuid(1)}`, `2 ${uuid(2)}`]);
  });
});

describe("deliver in replay mode: idempotency keys", () => {
  const keyed = (n: number, given: Parameters<typeof sqsRecord>[0] = {}, attributes: Attributes = {}) =>
    record(n, { idempotencyKey: "pay-7", ...attributes }, given);

  it("stores the first message with a key, and deletes another one from the queue", async () => {
    const relay = setUp();
    expect(await relay.run(keyed(1), keyed(2), record(3))).to.deep.equal([]);
    expect(relay.stored()).to.deep.equal([`1 ${uuid(1)}`, `2 ${uuid(3)}`]);
    expect(relay.outcomes()).to.deep.equal({
      [uuid(1)]: "delivered",
      [uuid(2)]: "duplicate: idempotency-key",
      [uuid(3)]: "delivered",
    });
    expect(counted(relay)).to.deep.equal(["Duplicates 1"]);
    expect(relay.reasons()).to.deep.equal([]);
    expect(relay.queue.visibilities).to.deep.equal([]);
  });

  it("warns of a message that it drops, and names the one that has the key by its first id in the queue", async () => {
    const relay = setUp();
    await relay.run(keyed(1, {}, { originalMessageId: uuid(9) }), keyed(2, {}, { messageId: "pay-7-again" }));
    await relay.run(keyed(3));
    const dropped = relay.log.lines.filter(({ event }) => event === "duplicate");
    const { callerId, context } = key;
    const rest = { attempt: 1, reason: "idempotency-key", firstSqsMessageId: uuid(9), callerId, context };
    expect(dropped).to.deep.equal([
      { level: "warn", event: "duplicate", messageId: "pay-7-again", sqsMessageId: uuid(2), ...rest },
      { level: "warn", event: "duplicate", messageId: uuid(3), sqsMessageId: uuid(3), ...rest },
    ]);
    const others = relay.log.lines.filter(({ event }) => event !== "duplicate");
    expect(others.map(({ level, event }) => `${String(level)} ${event}`)).to.deep.equal(["info delivered"]);
  });

  it("claims before it stores, with one call for each key of a batch", async () => {
    const relay = setUp();
    await relay.run(keyed(1), keyed(2), keyed(3, {}, { idempotencyKey: "other" }), record(4));
    expect(relay.history.calls).to.deep.equal(["claimKey", "claimKey", "readBack", "readCursor", "readBack", "put"]);
  });

  it("knows the key whatever the ids and however late in the retention", async () => {
    const relay = setUp();
    await relay.run(keyed(1, {}, { messageId: "a" }));
    relay.clock.now += retentionMs + 60_000;
    const sentAtMs = relay.clock.now;
    await relay.run(keyed(2, { sentAtMs }, { messageId: "b" }));
    expect(relay.stored()).to.deep.equal(["1 a"]);
    relay.clock.now += 1;
    await relay.run(keyed(3, { sentAtMs }, { messageId: "c" }));
    expect(relay.stored()).to.deep.equal(["1 a", "2 c"]);
  });

  it("keeps the keys of different sessions apart", async () => {
    const relay = setUp();
    await relay.run(keyed(1), keyed(2, {}, { user: "43" }));
    expect(relay.stored()).to.deep.equal([`1 ${uuid(1)}`]);
    expect(relay.stored({ ...key, callerId: "user#43" })).to.deep.equal([`1 ${uuid(2)}`]);
  });

  for (const name of ["claimKey", "readBack", "put"]) {
    for (const moment of ["before", "after"] as const) {
      it(`goes on with the same message after a crash ${moment} ${name}, and lets no other one overtake it`, async () => {
        const relay = setUp();
        relay.history[`${moment}Call`] = (called) =>
          called === name ? Promise.reject(new Error("a crash")) : Promise.resolve();
        expect(await relay.run(keyed(1))).to.deep.equal([uuid(1)]);
        expect(relay.outcomes()).to.deep.equal({ [uuid(1)]: "failed: history-unavailable" });
        relay.history[`${moment}Call`] = () => Promise.resolve();

        const hasClaim = name !== "claimKey" || moment === "after";
        await relay.run(keyed(2));
        await relay.run(keyed(1, { attempt: 2 }));
        expect(relay.stored()).to.deep.equal([`1 ${uuid(hasClaim ? 1 : 2)}`]);
      });
    }
  }

  it("finds its own claim again if it was stored, and posts the message under its number", async () => {
    const relay = setUp();
    relay.connections.answers.set("c1", "throttled");
    await relay.run(keyed(1));
    relay.connections.answers.clear();
    expect(await relay.run(keyed(1, { attempt: 2 }))).to.deep.equal([]);
    expect(relay.posted()).to.deep.equal(["c1: 1", "c1: 1"]);
    expect(counted(relay)).to.deep.equal([]);
  });

  it("stores a redriven message by the claim of its first attempts", async () => {
    const relay = setUp();
    relay.history.beforeCall = (name) => (name === "put" ? Promise.reject(new Error("no table")) : Promise.resolve());
    await relay.run(keyed(1, { attempt: 5 }));
    expect(relay.reasons()).to.deep.equal(["history-unavailable"]);
    relay.history.beforeCall = () => Promise.resolve();
    // Another one is a copy although the first is a dead letter.
    await relay.run(keyed(2));
    expect(relay.stored()).to.deep.equal([]);
    await relay.run(keyed(3, {}, { originalMessageId: uuid(1) }));
    expect(relay.stored()).to.deep.equal([`1 ${uuid(1)}`]);
  });

  it("claims again if the claim that was in the way has been deleted", async () => {
    const relay = setUp();
    await relay.history.claimKey(key, "pay-7", { owner: "another", claimedAtMs: now }, 0);
    relay.history.beforeCall = (name) =>
      Promise.resolve(void (name === "readKeyClaim" && relay.history.log(key).claims.clear()));
    await relay.run(keyed(1));
    expect(relay.history.log(key).claims.get("pay-7")).to.deep.equal({ owner: uuid(1), claimedAtMs: now });
    expect(relay.stored()).to.deep.equal([`1 ${uuid(1)}`]);
  });

  for (const [name, given] of [
    ["is too large", { body: "x".repeat(140_000) }],
    ["has expired", {}],
  ] as const) {
    it(`is not claimed by a message that ${name}`, async () => {
      const relay = setUp();
      const expiresAt = new Date(now).toISOString();
      await relay.run(keyed(1, given, name === "has expired" ? { expiresAt } : {}));
      expect(relay.history.calls).to.not.include("claimKey");
      expect(relay.reasons()).to.have.lengthOf(1);
      await relay.run(keyed(2));
      expect(relay.stored()).to.deep.equal([`1 ${uuid(2)}`]);
    });
  }

  it("makes a copy of a message that has expired, too", async () => {
    const relay = setUp();
    await relay.run(keyed(1));
    await relay.run(keyed(2, {}, { expiresAt: new Date(now).toISOString() }));
    expect(relay.outcomes()[uuid(2)]).to.equal("duplicate: idempotency-key");
    expect(relay.reasons()).to.deep.equal([]);
  });

  it("fails the session's messages, which wait for each other, if the claims cannot be written", async () => {
    const relay = setUp();
    relay.history.beforeCall = (name) =>
      name === "claimKey" ? Promise.reject(new Error("no table")) : Promise.resolve();
    expect(await relay.run(record(1), keyed(2))).to.deep.equal([uuid(1), uuid(2)]);
    expect(relay.stored()).to.deep.equal([]);
  });

  for (const [name, attribute, problem] of [
    ["an empty key", { dataType: "String", stringValue: "" }, "idempotencyKey is empty"],
    [
      "a key that is too long",
      { dataType: "String", stringValue: "x".repeat(129) },
      "idempotencyKey: 129 characters, at most 128 are allowed",
    ],
    ["a key with a line break", { dataType: "String", stringValue: "a\nb" }, "idempotencyKey: not printable ASCII"],
    ["a key that is a number", { dataType: "Number", stringValue: "7" }, "idempotencyKey is of type Number"],
  ] as const) {
    it(`dead-letters a message with ${name}`, async () => {
      const relay = setUp();
      await relay.run(sqsRecord({ rawAttributes: { idempotencyKey: attribute } }));
      expect(relay.reasons()).to.deep.equal([`unusable-attribute: ${problem}`]);
      expect(relay.history.calls).to.deep.equal([]);
    });
  }
});
