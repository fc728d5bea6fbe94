import { expect } from "chai";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import { backoffOf, setUp } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";

describe("deliver: the last attempt", () => {
  for (const attempt of [5, 6]) {
    it(`dead-letters a message that fails in attempt ${attempt} of 5, with its cause`, async () => {
      const { run, queue, connections } = setUp();
      connections.answers.set("c1", "throttled");
      expect(await run(sqsRecord({ attempt, body: "hello" }))).to.deep.equal([]);
      expect(queue.deadLetters).to.have.length(1);
      const { body, attributes } = queue.deadLetters[0] ?? expect.fail();
      expect(body).to.equal("hello");
      expect(attributes.reason?.stringValue).to.equal("throttled");
      expect(attributes.attempts).to.deep.equal({ dataType: "Number", stringValue: String(attempt) });
      expect(attributes.originalMessageId?.stringValue).to.equal("m1");
      expect(queue.visibilities).to.deep.equal([]);
    });
  }

  it("dead-letters a message in the group that it came in", async () => {
    const { run, queue, sessions } = setUp();
    sessions.rows.clear();
    await run(sqsRecord({ attempt: 5, messageGroupId: "g1" }));
    expect(queue.deadLetters.map(({ messageGroupId }) => messageGroupId)).to.deep.equal(["g1"]);
  });

  it("retries with back-off where the dead letter cannot be sent", async () => {
    const { run, queue, sessions } = setUp();
    sessions.rows.clear();
    queue.deadLetterFails = true;
    expect(await run(sqsRecord({ attempt: 5 }))).to.deep.equal(["m1"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 16)]]);
  });

  it("delivers in the last attempt like in any other", async () => {
    const { run, queue } = setUp();
    expect(await run(sqsRecord({ attempt: 5 }))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
  });

  it("names the attributes that a dead letter had no room for", async () => {
    const { run, log, sessions } = setUp();
    sessions.rows.clear();
    await run(sqsRecord({ attempt: 5, attributes: { a: "1", b: "1", c: "1", d: "1", e: "secret" } }));
    expect(log.lines.find(({ event }) => event === "dead-lettered")?.droppedAttributes).to.deep.equal(["e"]);
    expect(log.text).not.to.contain("secret");
  });
});

describe("deliver: out of time", () => {
  /** A POST that ends only when it is aborted. */
  const untilAborted = (_: string, __: string, signal?: AbortSignal) =>
    new Promise<PostOutcome>((resolve) => {
      signal?.addEventListener("abort", () => resolve({ result: "timeout" }));
    });

  it("makes messages that it did not reach visible at once", async () => {
    const { run, sessions, connections, queue, outcomes } = setUp(0);
    expect(await run(sqsRecord({ attempt: 4 }))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "not-reached" });
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 0)]]);
    expect([...sessions.calls, ...connections.posts]).to.deep.equal([]);
  });

  it("dead-letters a message that it did not reach in its last attempt", async () => {
    const { run, queue, reasons } = setUp(0);
    expect(await run(sqsRecord({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["not-reached"]);
    expect(queue.visibilities).to.deep.equal([]);
  });

  it("aborts what is under way, and holds back what waits behind it", async () => {
    const { run, connections, queue, outcomes } = setUp(20);
    connections.onPost = untilAborted;
    const records = [sqsRecord({ messageId: "m1", attempt: 2 }), sqsRecord({ messageId: "m2", attempt: 3 })];
    expect(await run(...records)).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "timeout", m2: "held-back: timeout" });
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 2), backoffOf("m2", 4)]]);
  });

  it("did not reach a session's next message where time was up after a delivery", async () => {
    const { run, connections, queue, outcomes } = setUp(20);
    connections.onPost = async (...args) => {
      await untilAborted(...args);
      return { result: "delivered" };
    };
    expect(await run(sqsRecord({ messageId: "m1" }), sqsRecord({ messageId: "m2" }))).to.deep.equal(["m2"]);
    expect(outcomes()).to.deep.equal({ m1: "delivered", m2: "not-reached" });
    expect(queue.visibilities).to.deep.equal([[backoffOf("m2", 0)]]);
  });

  it("reached nothing where time was up while the sessions were read", async () => {
    const { run, sessions, outcomes } = setUp(20);
    sessions.readAll = (_, signal?: AbortSignal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "not-reached" });
  });

  it("leaves time for settling: dead letters are sent after the sending has been aborted", async () => {
    const { run, connections, queue, reasons } = setUp(1_200);
    const signals: (boolean | undefined)[] = [];
    const send = queue.deadLetter.bind(queue);
    queue.deadLetter = (deadLetter, signal?: AbortSignal) => (signals.push(signal?.aborted), send(deadLetter));
    connections.onPost = untilAborted;
    expect(await run(sqsRecord({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["timeout"]);
    expect(signals).to.deep.equal([false]);
  });
});
