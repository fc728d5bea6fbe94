import { expect } from "chai";
import type { SessionCursor } from "../../../handlers/history/history";
import { backoffOf } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";
import { key, now } from "../history/segments";
import { retentionMs, row, setUp } from "./deliverReplaySetUp";

/** Beside the body of `m1`, with the longest number of all. */
const envelopeBytes = '{"type":"message","epoch":"123456789012","seq":9007199254740991,"id":"m1","body":""}'.length;

describe("deliver in replay: one message", () => {
  it("posts a message in its envelope, under the number that it is stored by", async () => {
    const { run, connections, history, queue, outcomes } = setUp();
    const record = sqsRecord({ body: "hello", attributes: { messageId: "order-7", trace: "t-1" } });
    expect(await run(record)).to.deep.equal([]);
    expect(connections.posts.map(({ body }) => JSON.parse(body) as unknown)).to.deep.equal([
      { type: "message", epoch: "e1", seq: 1, id: "order-7", body: "hello" },
    ]);
    expect(history.entries(key)).to.deep.equal([
      {
        epoch: "e1",
        seq: 1,
        segmentFirst: 1,
        messageId: "order-7",
        body: "hello",
        storedAtMs: now,
        untilMs: now + retentionMs,
        expiresAtMs: undefined,
        attributes: { trace: { dataType: "String", stringValue: "t-1" } },
      },
    ]);
    expect(outcomes()).to.deep.equal({ m1: "delivered" });
    expect(queue.visibilities).to.deep.equal([]);
  });

  it("costs one write and one read of the history, and one read of the sessions", async () => {
    const { run, history, sessions, clock } = setUp();
    await run(sqsRecord({ messageId: "m1" }));
    expect(history.calls, "the first of a session").to.deep.equal(["readBack", "readCursor", "readBack", "put"]);
    clock.now += 15_001;
    history.calls.length = 0;
    sessions.calls.length = 0;
    await run(sqsRecord({ messageId: "m2" }));
    expect(history.calls).to.deep.equal(["readBack", "put"]);
    expect(sessions.calls).to.deep.equal(["readAll"]);
  });

  it("brings the sweeper when it has waited long enough for its receipt, at no further call", async () => {
    const { run, history } = setUp(30_000, { waitingAfterMs: 300_000 });
    await run(sqsRecord({ messageId: "m1" }));
    expect(history.segments(key)[0]).to.include({ dueAtMs: now + 300_000, isMarked: true });
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "put"]);
  });

  it("reads the session only after the message is stored", async () => {
    const { run, sessions, connections, stored, outcomes } = setUp();
    const { readAll } = sessions;
    sessions.readAll = (keys) => {
      expect(stored()).to.deep.equal(["1 m1"]);
      // Whoever is there by now and was not before has asked for nothing yet, or for this too.
      sessions.put({ ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 });
      return readAll.call(sessions, keys);
    };
    await run(sqsRecord());
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c2"]);
    expect(outcomes()).to.deep.equal({ m1: "delivered" });
  });

  it("is done with a message whose client is away: it is in the history", async () => {
    const { run, connections, sessions, outcomes, stored, metrics } = setUp();
    sessions.rows.clear();
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: no-session" });
    expect(stored()).to.deep.equal(["1 m1"]);
    expect(connections.posts).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal([[{ name: "Stored", value: 1, reason: "no-session" }]]);
  });

  for (const result of ["throttled", "gateway-error", "network-error", "timeout", "forbidden"] as const) {
    it(`retries after ${result}, under the same number`, async () => {
      const { run, connections, queue, stored, posted, outcomes } = setUp();
      connections.answers.set("c1", result);
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: `failed: ${result}` });
      expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 1)]]);
      connections.answers.clear();
      expect(await run(sqsRecord({ attempt: 2 }))).to.deep.equal([]);
      expect(stored()).to.deep.equal(["1 m1"]);
      expect(posted()).to.deep.equal(["c1: 1", "c1: 1"]);
    });
  }

  for (const method of ["readBack", "put"]) {
    it(`retries where ${method} fails, and posts nothing that has no number`, async () => {
      const { run, history, sessions, connections, outcomes, log } = setUp();
      history.beforeCall = (name) => (name === method ? Promise.reject(new Error("no table")) : Promise.resolve());
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: "failed: history-unavailable" });
      expect(log.lines[0]).to.include({ level: "error", event: "messages not stored" });
      expect(log.lines[0]?.messageIds).to.deep.equal(["m1"]);
      expect(connections.posts).to.deep.equal([]);
      expect(sessions.calls).to.deep.equal([]);
    });
  }

  it("retries where other messages took one number after the other", async () => {
    const { run, history, outcomes, clock } = setUp();
    history.put = () => Promise.resolve(((clock.now += 1_000), "taken" as const));
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: history-contended" });
  });

  it("retries a stored message where the sessions cannot be read", async () => {
    const { run, sessions, outcomes, stored } = setUp();
    sessions.failing.add("readAll");
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: session-store-unavailable" });
    expect(stored()).to.deep.equal(["1 m1"]);
  });

  it("posts the stored body if a message comes twice", async () => {
    const { run, connections } = setUp();
    const published = (sqsMessageId: string, body: string) =>
      sqsRecord({ messageId: sqsMessageId, body, attributes: { messageId: "order-7" } });
    await run(published("m1", "first"), published("m2", "second"));
    await run(published("m3", "third"));
    const envelope = { type: "message", epoch: "e1", seq: 1, id: "order-7", body: "first" };
    expect(connections.posts.map(({ body }) => JSON.parse(body) as unknown)).to.deep.equal([envelope, envelope]);
  });

  it("does not post a message that is older than the retention, although it is stored", async () => {
    const { run, connections, clock, outcomes } = setUp();
    await run(sqsRecord());
    clock.now += retentionMs;
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: expired" });
    expect(connections.posts).to.have.lengthOf(1);
  });

  for (const [name, body, id, refused] of [
    ["as large as the gateway takes with its envelope", "x".repeat(131_072 - envelopeBytes), "m1", false],
    ["a byte larger than that", "x".repeat(131_073 - envelopeBytes), "m1", true],
    ["whose escapes are too many", '"'.repeat(70_000), "m1", true],
    ["larger than the gateway takes without its envelope", "x".repeat(131_073), "m1", true],
  ] as const) {
    it(`${refused ? "dead-letters a message" : "gives a number to a message that is"} ${name}`, async () => {
      const { run, stored, reasons, history } = setUp();
      expect(await run(sqsRecord({ messageId: id, body }))).to.deep.equal([]);
      expect(reasons()).to.deep.equal(refused ? ["payload-too-large"] : []);
      expect(stored()).to.deep.equal(refused ? [] : ["1 m1"]);
      if (refused) expect(history.calls).to.deep.equal([]);
    });
  }
});

describe("deliver in replay: the last attempt at a message that is stored", () => {
  const at = (seq: number, epoch = "e1") => ({ epoch, seq });
  const skipped = { epoch: "e1", from: 1, through: 1 };

  /** The connection fails, and the session's cursor is there. */
  async function lastAttempt(cursor: Partial<SessionCursor>, attempt = 5) {
    const relay = setUp();
    relay.connections.answers.set("c1", "throttled");
    await relay.run(sqsRecord({ attempt: attempt - 1 }));
    relay.history.log(key).cursor = { oldestSeq: 1, ...cursor };
    relay.history.calls.length = 0;
    return { ...relay, failed: await relay.run(sqsRecord({ attempt })) };
  }

  for (const [name, cursor] of [
    ["a client has acknowledged it", { acknowledged: at(1) }],
    ["the gateway has accepted it for a raw client", { accepted: at(2) }],
    ["it was skipped, and acknowledged", { acknowledged: at(1), accepted: at(1), skipped }],
  ] as [string, Partial<SessionCursor>][]) {
    it(`counts as a delivery, and is not dead-lettered, if ${name}`, async () => {
      const { failed, reasons, metrics, log } = await lastAttempt(cursor);
      expect(failed).to.deep.equal([]);
      expect(reasons()).to.deep.equal([]);
      expect(metrics.flushes.flat().filter((each) => each.name === "Delivered")).to.have.lengthOf(1);
      expect(log.lines.at(-1)).to.include({ level: "warn", event: "delivered, but not to all connections" });
    });
  }

  for (const [name, cursor] of [
    ["no client has taken it", {}],
    ["only earlier ones are acknowledged", { acknowledged: at(0), accepted: at(0) }],
    ["the session's cursor is of another epoch", { acknowledged: at(9, "e0"), accepted: at(9, "e0") }],
    ["it was skipped for raw clients", { accepted: at(3), skipped }],
  ] as [string, Partial<SessionCursor>][]) {
    it(`dead-letters it if ${name}`, async () => {
      const { failed, reasons } = await lastAttempt(cursor);
      expect(failed).to.deep.equal([]);
      expect(reasons()).to.deep.equal(["throttled"]);
    });
  }

  it("dead-letters it, and says so, if that cannot be read", async () => {
    const { run, connections, history, reasons, log } = setUp();
    connections.answers.set("c1", "throttled");
    await run(sqsRecord({ attempt: 4 }));
    history.beforeCall = (name) => (name === "readCursor" ? Promise.reject(new Error("no")) : Promise.resolve());
    await run(sqsRecord({ attempt: 5 }));
    expect(reasons()).to.deep.equal(["throttled"]);
    expect(log.lines.map(({ event }) => event)).to.include("session's cursor not read");
  });

  it("costs a read that no other attempt costs", async () => {
    expect((await lastAttempt({})).history.calls).to.include("readCursor");
    expect((await lastAttempt({}, 4)).history.calls).to.not.include("readCursor");
  });
});

describe("deliver in replay: a message that expires", () => {
  const told = (seq: number) => ({ type: "message", epoch: "e1", seq, id: `m${seq}`, expired: true });
  const expiring = (ms: number) => sqsRecord({ attributes: { expiresAt: new Date(now + ms).toISOString() } });

  it("is stored with its time, and posted before", async () => {
    const { run, posted, history } = setUp();
    await run(expiring(1));
    expect(posted()).to.deep.equal(["c1: 1"]);
    expect(history.entries(key)[0]?.expiresAtMs).to.equal(now + 1);
  });

  it("is dead-lettered where it has before it gets a number", async () => {
    const { run, reasons, stored, connections } = setUp();
    expect(await run(expiring(0))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["expired"]);
    expect(stored()).to.deep.equal([]);
    expect(connections.posts).to.deep.equal([]);
  });

  for (const [name, isStored, answer] of [
    ["is not dead-lettered if an earlier attempt has stored it", true, []],
    ["is dead-lettered if no attempt has stored it", false, ["expired"]],
  ] as const) {
    it(name, async () => {
      const { run, connections, clock, reasons, queue } = setUp();
      connections.answers.set("c1", "throttled");
      await run(isStored ? expiring(10) : sqsRecord({ messageId: "m2" }));
      clock.now += 10;
      queue.visibilities.length = 0;
      expect(await run(expiring(10))).to.deep.equal([]);
      expect(reasons()).to.deep.equal(answer);
    });
  }

  it("does not hold up those that come with it", async () => {
    const { run, stored, reasons, history } = setUp();
    await run(sqsRecord({ messageId: "m2" }), expiring(0), sqsRecord({ messageId: "m3" }));
    expect(stored()).to.deep.equal(["1 m2", "2 m3"]);
    expect(reasons()).to.deep.equal(["expired"]);
    expect(history.calls.filter((name) => name === "put")).to.have.length(1);
  });

  it("is told by its number, without its body, where it expires after it was stored", async () => {
    const { run, history, clock, envelopes, outcomes } = setUp();
    history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: expired" });
    expect(envelopes()).to.deep.equal([told(1)]);
  });

  it("is told where it expires between two attempts, in its place among the others", async () => {
    const { run, clock, connections, envelopes, outcomes } = setUp();
    connections.answers.set("c1", "throttled");
    await run(expiring(10));
    clock.now += 10;
    connections.answers.clear();
    connections.posts.length = 0;
    expect(await run(sqsRecord({ messageId: "m2" }), { ...expiring(10) })).to.deep.equal([]);
    expect(connections.posts).to.have.lengthOf(1);
    expect(envelopes()).to.deep.equal([
      told(1),
      { type: "message", epoch: "e1", seq: 2, id: "m2", body: "body of m2" },
    ]);
    expect(outcomes()).to.deep.equal({ m1: "stored: expired", m2: "delivered" });
  });

  it("is told once more where its body went before", async () => {
    const { run, clock, history, envelopes, published } = setUp();
    await run(expiring(10));
    clock.now += 10;
    await history.addReported(key, 1, [0]);
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(envelopes().at(-1)).to.deep.equal(told(1));
    expect(published).to.deep.equal([]);
  });

  for (const deadLetterExpired of [true, false]) {
    it(`is reported before it is told, ${deadLetterExpired ? "and" : "not"} dead-lettered`, async () => {
      const { run, history, clock, connections, published, reasons, metrics } = setUp(30_000, { deadLetterExpired });
      history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
      connections.onPost = () => {
        expect(published.map(({ status, reason, seq }) => [status, reason, seq])).to.deep.equal([
          ["expired", "expires-at", 1],
        ]);
        // What a client then acknowledges has got its receipt.
        expect(history.entries(key)[0]?.body).to.equal(undefined);
        return Promise.resolve({ result: "delivered" });
      };
      await run(expiring(10));
      expect(connections.posts).to.have.lengthOf(1);
      expect(reasons()).to.deep.equal(deadLetterExpired ? ["expired"] : []);
      expect(metrics.flushes[0]).to.deep.include({ name: "Expired", value: 1, reason: "expires-at" });
      expect(metrics.flushes[0]).to.deep.include({ name: "Stored", value: 1, reason: "expired" });
    });
  }

  it("is not reported where a client has acknowledged it", async () => {
    const { run, clock, history, published, envelopes } = setUp();
    await run(expiring(10));
    await history.acknowledge(key, { epoch: "e1", seq: 1 });
    clock.now += 10;
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(published).to.deep.equal([]);
    expect(envelopes().at(-1)).to.deep.equal(told(1));
  });

  it("is not told where it cannot be reported: a resume does both", async () => {
    const { run, history, clock, connections, receipts, outcomes, log } = setUp();
    history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
    receipts.fails = true;
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: expired" });
    expect(connections.posts).to.deep.equal([]);
    expect(log.lines[0]).to.deep.include({
      level: "error",
      event: "expired messages not reported",
      messageIds: ["m1"],
    });
    expect(history.entries(key)[0]?.body).to.be.a("string");
  });

  it("is left to the sweeper where no client is connected", async () => {
    const { run, history, clock, sessions, published, connections } = setUp();
    history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
    sessions.rows.clear();
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(published).to.deep.equal([]);
    expect(connections.posts).to.deep.equal([]);
  });

  it("is not tried again where the gateway does not take its number; what comes after it is", async () => {
    const { run, history, clock, connections, outcomes, log } = setUp();
    history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
    connections.answers.set("c1", "throttled");
    expect(await run(expiring(10), sqsRecord({ messageId: "m2" }))).to.deep.equal(["m2"]);
    expect(outcomes()).to.deep.equal({ m1: "stored: expired", m2: "failed: throttled" });
    expect(log.lines.find(({ event }) => event === "not posted")).to.deep.include({ messageIds: ["m1", "m2"] });
  });

  it("is tried again where the history cannot be read", async () => {
    const { run, history, outcomes } = setUp();
    history.beforeCall = () => Promise.reject(new Error("no table"));
    expect(await run(expiring(0))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: history-unavailable" });
  });
});
