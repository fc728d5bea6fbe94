import { expect } from "chai";
import { backoffOf, now, row, setUp } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";

/** A message that expires `ms` from `now`. */
const expiring = (ms: number, given: Parameters<typeof sqsRecord>[0] = {}) =>
  sqsRecord({ ...given, attributes: { expiresAt: new Date(now + ms).toISOString() } });

describe("deliver: a message that expires", () => {
  it("is delivered before it does", async () => {
    const { run, connections, queue } = setUp();
    expect(await run(expiring(1))).to.deep.equal([]);
    expect(connections.posts).to.have.length(1);
    expect(queue.deadLetters).to.deep.equal([]);
  });

  it("is dead-lettered at its first attempt once it has, and not posted", async () => {
    const { run, connections, queue, outcomes, reasons } = setUp();
    const record = expiring(0, { body: "hello" });
    expect(await run(record)).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "expired" });
    expect(reasons()).to.deep.equal(["expired"]);
    expect(queue.deadLetters[0]?.body).to.equal("hello");
    expect(queue.deadLetters[0]?.attributes).to.deep.include({
      expiresAt: record.messageAttributes.expiresAt,
      attempts: { dataType: "Number", stringValue: "1" },
    });
    expect(connections.posts).to.deep.equal([]);
    expect(queue.visibilities).to.deep.equal([]);
  });

  it("is dead-lettered as expired whether its client is there or not", async () => {
    const { run, sessions, reasons } = setUp();
    sessions.rows.clear();
    expect(await run(expiring(0))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["expired"]);
  });

  it("leaves an expired session's connection alone once it has itself", async () => {
    const { run, sessions, connections, reasons } = setUp();
    sessions.put({ ...row, expirationDate: now / 1000 });
    await run(expiring(0));
    expect(reasons()).to.deep.equal(["expired"]);
    expect(connections.closed).to.deep.equal([]);
  });

  it("is not posted to a further connection where it expired during the first post", async () => {
    const { run, connections, sessions, clock, reasons } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => {
      clock.now += 10;
      sessions.put({ ...row, connectionId: "c2" });
    };
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1"]);
    expect(reasons()).to.deep.equal(["expired"]);
  });

  it("is not tried again where it expired during the attempt that failed", async () => {
    const { run, connections, clock, queue, reasons } = setUp();
    connections.onPost = () => {
      clock.now += 10;
      return Promise.resolve({ result: "timeout" });
    };
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["expired"]);
    expect(queue.visibilities).to.deep.equal([]);
  });

  it("counts as delivered where it expired during the post that succeeded", async () => {
    const { run, connections, clock, queue } = setUp();
    connections.onPost = () => {
      clock.now += 10;
      return Promise.resolve({ result: "delivered" });
    };
    expect(await run(expiring(10))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
  });

  it("is dead-lettered while it is held back behind one that fails", async () => {
    const { run, connections, queue, outcomes, reasons } = setUp();
    connections.answers.set("c1", "throttled");
    const records = [sqsRecord({ messageId: "m1" }), expiring(0, { messageId: "m2" }), sqsRecord({ messageId: "m3" })];
    expect(await run(...records)).to.deep.equal(["m1", "m3"]);
    expect(outcomes()).to.deep.equal({ m1: "throttled", m2: "expired", m3: "held-back: throttled" });
    expect(reasons()).to.deep.equal(["expired"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 1), backoffOf("m3", 1)]]);
  });

  it("holds nothing back that comes after it", async () => {
    const { run, connections } = setUp();
    await run(expiring(0, { messageId: "m1" }), sqsRecord({ messageId: "m2" }));
    expect(connections.posts.map(({ body }) => body)).to.deep.equal(["body of m2"]);
  });

  it("is dead-lettered where the sessions cannot be read", async () => {
    const { run, sessions, reasons } = setUp();
    sessions.failing.add("readAll");
    expect(await run(expiring(0, { messageId: "m1" }), sqsRecord({ messageId: "m2" }))).to.deep.equal(["m2"]);
    expect(reasons()).to.deep.equal(["expired"]);
  });

  it("is dead-lettered where it was not reached in time", async () => {
    const { run, reasons } = setUp(0);
    expect(await run(expiring(0))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["expired"]);
  });

  it("is dead-lettered for what makes it undeliverable at any time, if anything does", async () => {
    const { run, reasons } = setUp();
    await run(expiring(0, { body: "x".repeat(131_073) }));
    expect(reasons()).to.deep.equal(["payload-too-large"]);
  });

  for (const [name, leftMs, seconds] of [
    ["as soon as it has expired, where that is before the back-off's end", 5_000, 5],
    ["in a whole second after it has expired", 4_001, 5],
    ["after a second at the least", 1, 1],
    ["after the back-off, where it expires later", 8_001, 8],
  ] as const) {
    it(`is looked at again ${name}`, async () => {
      const { run, sessions, queue } = setUp();
      sessions.rows.clear();
      // Without the random half, the fourth attempt's back-off is 8 s.
      expect(await run(expiring(leftMs, { attempt: 4 }))).to.deep.equal(["m1"]);
      expect(queue.visibilities).to.deep.equal([[backoffOf("m1", seconds)]]);
    });
  }

  it("is looked at again after a second where it expires while others are dead-lettered", async () => {
    const { run, sessions, queue, clock } = setUp();
    sessions.rows.clear();
    const send = queue.deadLetter.bind(queue);
    queue.deadLetter = (deadLetter) => ((clock.now += 10), send(deadLetter));
    const records = [sqsRecord({ messageId: "m1", attempt: 5 }), expiring(10, { messageId: "m2", attempt: 4 })];
    expect(await run(...records)).to.deep.equal(["m2"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m2", 1)]]);
  });

  it("is visible at once where it was not reached, like any other", async () => {
    const { run, queue } = setUp(0);
    expect(await run(expiring(5_000))).to.deep.equal(["m1"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 0)]]);
  });

  it("waits for the whole back-off where it has expired and cannot be dead-lettered", async () => {
    const { run, queue } = setUp();
    queue.deadLetterFails = true;
    expect(await run(expiring(0, { attempt: 4 }))).to.deep.equal(["m1"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 8)]]);
  });
});
