import { expect } from "chai";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import { sqsRecord } from "../../support/events";
import { key, now } from "../history/segments";
import { row, setUp } from "./deliverReplaySetUp";

const to = (user: string, messageId: string, attempt = 1) => sqsRecord({ messageId, attempt, attributes: { user } });
const large = (messageId: string) => sqsRecord({ messageId, body: "x".repeat(100_000) });

describe("deliver in replay: a batch", () => {
  it("posts a session's messages in one frame, in the order of their numbers", async () => {
    const { run, connections, posted, stored } = setUp();
    expect(await run(sqsRecord({ messageId: "m1" }), sqsRecord({ messageId: "m2" }))).to.deep.equal([]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
    expect(posted()).to.deep.equal(["c1: 1,2"]);
    expect(connections.posts[0]?.body).to.match(/^\[\{"type":"message",.*\}\]$/);
  });

  it("costs one write of the history a session, and one read of those that this environment has not just written", async () => {
    const { run, history, sessions, clock } = setUp();
    await run(to("43", "m0"));
    clock.now += 15_001;
    await run(to("42", "m0"));
    history.calls.length = 0;
    sessions.calls.length = 0;
    await run(to("42", "m1"), to("42", "m2"), to("43", "m3"), to("42", "m4"));
    expect(history.calls.sort()).to.deep.equal(["put", "put", "readBack"]);
    expect(sessions.calls).to.deep.equal(["readAll"]);
  });

  it("posts in the order of numbers, though an earlier one comes again after a later one", async () => {
    const { run, connections, posted } = setUp();
    connections.answers.set("c1", "throttled");
    await run(sqsRecord({ messageId: "m1" }));
    connections.answers.clear();
    await run(sqsRecord({ messageId: "m2" }), sqsRecord({ messageId: "m1", attempt: 2 }));
    expect(posted()).to.deep.equal(["c1: 1", "c1: 1,2"]);
  });

  it("stores more than fit into one segment in the next one, in order", async () => {
    const { run, history, stored } = setUp();
    const ids = Array.from({ length: 201 }, (_, i) => `m${i + 1}`);
    expect(await run(...ids.map((id) => to("42", id)))).to.deep.equal([]);
    expect(history.segments(key).map(({ first, count }) => [first, count])).to.deep.equal([
      [1, 100],
      [101, 100],
      [201, 1],
    ]);
    expect(stored()).to.deep.equal(ids.map((id, i) => `${i + 1} ${id}`));
  });

  it("stores no more than 256 KB in one segment, escapes and attributes included", async () => {
    const { run, history } = setUp();
    const attributes = { trace: "t".repeat(50_000) };
    const [quotes, traced] = [{ body: '"'.repeat(60_000) }, { body: "x".repeat(30_000), attributes }];
    await run(...[quotes, quotes, traced, traced].map((given, i) => sqsRecord({ messageId: `m${i}`, ...given })));
    expect(history.segments(key).map(({ count }) => count)).to.deep.equal([2, 2]);
  });

  it("stores no attributes that are too large for the table with the longest body", async () => {
    const { run, history } = setUp();
    await run(sqsRecord({ attributes: { trace: "t".repeat(256 * 1024) } }));
    expect(history.segments(key)[0]?.messages).to.deep.equal([{ id: "m1", body: "body of m1" }]);
  });

  it("gives no later message an earlier number: after some have failed, the session's rest is held back", async () => {
    const { run, history, outcomes, stored, posted } = setUp();
    let puts = 0;
    history.beforeCall = (name) =>
      name === "put" && (puts += 1) === 2 ? Promise.reject(new Error("no table")) : Promise.resolve();
    const ids = ["m1", "m2", "m3", "m4", "m5", "m6"];
    expect(await run(...ids.map(large))).to.deep.equal(ids.slice(2));
    expect(outcomes()).to.deep.equal({
      m1: "delivered",
      m2: "delivered",
      m3: "failed: history-unavailable",
      m4: "failed: history-unavailable",
      m5: "failed: held-back: history-unavailable",
      m6: "failed: held-back: history-unavailable",
    });
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
    expect(posted()).to.deep.equal(["c1: 1", "c1: 2"]);
  });

  it("holds the later frames of a session back once one has failed", async () => {
    const { run, connections, outcomes, stored } = setUp();
    let posts = 0;
    connections.onPost = () => Promise.resolve({ result: (posts += 1) === 2 ? "throttled" : "delivered" });
    expect(await run(large("m1"), large("m2"), large("m3"))).to.deep.equal(["m2", "m3"]);
    expect(outcomes()).to.deep.equal({
      m1: "delivered",
      m2: "failed: throttled",
      m3: "failed: held-back: throttled",
    });
    expect(stored()).to.deep.equal(["1 m1", "2 m2", "3 m3"]);
  });

  it("goes on with a session after a message that can never succeed", async () => {
    const { run, stored, reasons } = setUp();
    await run(sqsRecord({ messageId: "m1", body: "x".repeat(131_072) }), sqsRecord({ messageId: "m2" }));
    expect(stored()).to.deep.equal(["1 m2"]);
    expect(reasons()).to.deep.equal(["payload-too-large"]);
  });

  it("posts nothing more to a session whose client is found gone", async () => {
    const { run, connections, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    expect(await run(large("m1"), large("m2"))).to.deep.equal([]);
    expect(connections.posts).to.have.lengthOf(1);
    expect(outcomes()).to.deep.equal({ m1: "stored: connection-gone", m2: "stored: connection-gone" });
  });

  it("lets no session wait for another, neither to be stored nor to be posted to", async () => {
    const { run, connections, sessions, history } = setUp();
    sessions.put({ ...row, callerId: "user#43", connectionId: "c2" });
    // Each waits for the other's: one after the other, this would never end.
    let stored: () => void = () => expect.fail("the test does not wait yet");
    const isStored = new Promise<void>((resolve) => (stored = resolve));
    history.beforeCall = async (name, of) => {
      if (name !== "put") return;
      if (of?.callerId === key.callerId) await isStored;
      else stored();
    };
    let release: (outcome: PostOutcome) => void = () => expect.fail("c1 was not posted to");
    connections.onPost = (connectionId) => {
      if (connectionId === "c1") return new Promise((resolve) => (release = resolve));
      release({ result: "timeout" });
      return Promise.resolve({ result: "delivered" });
    };
    expect(await run(to("42", "m1"), to("43", "m2"))).to.deep.equal(["m1"]);
  });

  it("fails one session's messages, not the batch, where handling them throws", async () => {
    const { run, connections, sessions, outcomes } = setUp();
    sessions.put({ ...row, callerId: "user#43", connectionId: "c2" });
    connections.onPost = (connectionId) =>
      connectionId === "c1" ? Promise.reject(new Error("a fault of ours")) : Promise.resolve({ result: "delivered" });
    expect(await run(to("42", "m1"), to("43", "m2"))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: internal-error", m2: "delivered" });
  });

  it("stores and posts nothing where time is up before, and is tried again at once", async () => {
    const { run, history, connections, queue, outcomes } = setUp(0);
    expect(await run(to("42", "m1"))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "not-reached: not-reached" });
    expect(history.calls).to.deep.equal([]);
    expect(connections.posts).to.deep.equal([]);
    expect(queue.visibilities.flat().map(({ visibilityTimeoutSeconds }) => visibilityTimeoutSeconds)).to.deep.equal([
      0,
    ]);
  });

  it("counts what is delivered and what is stored, and how old it was", async () => {
    const { run, metrics, clock } = setUp();
    clock.now = now + 70;
    await run(sqsRecord({ messageId: "m1", sentAtMs: now }), to("43", "m2"));
    expect(metrics.flushes).to.deep.equal([
      [
        { name: "Stored", value: 1, reason: "no-session" },
        { name: "Delivered", value: 1, reason: undefined },
        { name: "AgeAtDelivery", value: 70, reason: undefined },
      ],
    ]);
  });

  it("logs each message's number and the connection that took it, and no body", async () => {
    const { run, log } = setUp();
    await run(to("42", "m1"), to("43", "m2"));
    const lines = log.lines.filter(({ event }) => event === "delivered" || event === "stored");
    expect(
      lines.map(({ sqsMessageId, epoch, seq, connectionIds }) => [sqsMessageId, epoch, seq, connectionIds]),
    ).to.deep.equal([
      ["m1", "e1", 1, ["c1"]],
      ["m2", "e1", 1, undefined],
    ]);
    expect(log.text).to.not.contain("body of");
  });
});

describe("deliver in replay: receipts of dead letters", () => {
  const at = new Date(now).toISOString();
  const address = { user: "42", context: "chat", contextId: "7" };

  it("says which messages are dead, and why, with the number that they have", async () => {
    const { run, connections, published, reasons } = setUp();
    connections.answers.set("c1", "forbidden");
    expect(await run(to("42", "m1", 5))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["forbidden"]);
    expect(published).to.deep.equal([
      { status: "dead", reason: "forbidden", messageId: "m1", ...address, epoch: "e1", seq: 1, at },
    ]);
  });

  it("publishes a receipt of an undeliverable message with the address that it has", async () => {
    const { run, published } = setUp();
    await run(
      sqsRecord({ attributes: { user: undefined } }),
      sqsRecord({ messageId: "m2", body: "x".repeat(200_000) }),
    );
    expect(published).to.deep.equal([
      { status: "dead", reason: "missing-attribute: user", messageId: "m1", ...address, user: "", at },
      { status: "dead", reason: "payload-too-large", messageId: "m2", ...address, at },
    ]);
  });

  it("says nothing of what is not dead", async () => {
    const { run, published, queue, connections } = setUp();
    queue.deadLetterFails = true;
    connections.answers.set("c1", "throttled");
    expect(await run(to("42", "m1", 5), to("43", "m2", 5), to("42", "m3", 1))).to.deep.equal(["m1", "m3"]);
    expect(published).to.deep.equal([]);
  });

  it("has a message come again, and be dead-lettered again, whose receipt was not taken", async () => {
    const { run, receipts, published, queue, log, metrics } = setUp();
    const poison = sqsRecord({ attributes: { user: undefined } });
    receipts.fails = true;
    expect(await run(poison)).to.deep.equal(["m1"]);
    expect(log.lines.at(-1)).to.include({
      level: "error",
      event: "receipts of dead letters not published: will be retried",
    });
    expect(metrics.flushes[0]).to.deep.include({ name: "Retried", value: 1, reason: "missing-attribute" });
    expect(queue.visibilities.flat()[0]?.visibilityTimeoutSeconds).to.equal(1);
    receipts.fails = false;
    expect(await run(poison)).to.deep.equal([]);
    expect(queue.deadLetters).to.have.lengthOf(2);
    expect(published).to.have.lengthOf(1);
  });
});
