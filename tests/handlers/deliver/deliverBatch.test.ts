import { expect } from "chai";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import { backoffOf, reconnected, row, setUp } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";

describe("deliver: a batch", () => {
  const to = (user: string, messageId: string, attempt = 1) => sqsRecord({ messageId, attempt, attributes: { user } });

  it("reads all sessions at once, each message's once", async () => {
    const { run, sessions } = setUp();
    await run(to("42", "m1"), to("42", "m2"), to("43", "m3"));
    expect(sessions.calls).to.deep.equal(["readAll"]);
  });

  it("answers nothing for an empty batch", async () => {
    const { run, sessions } = setUp();
    expect(await run()).to.deep.equal([]);
    expect(sessions.calls).to.deep.equal([]);
  });

  it("reports failed messages by the queue's ids, though they have one and the same of their publisher's", async () => {
    const { run, sessions, queue } = setUp();
    sessions.rows.clear();
    const again = (messageId: string) => sqsRecord({ messageId, attributes: { messageId: "order-7" } });
    expect(await run(again("m1"), again("m2"))).to.deep.equal(["m1", "m2"]);
    const receiptHandles = queue.visibilities.flat().map(({ receiptHandle }) => receiptHandle);
    expect(receiptHandles).to.deep.equal(["receipt-m1", "receipt-m2"]);
  });

  it("sends one session's messages in order, one after the other", async () => {
    const { run, connections } = setUp();
    let underway = 0;
    connections.onPost = async () => {
      expect(++underway).to.equal(1);
      await new Promise(setImmediate);
      underway--;
      return { result: "delivered" };
    };
    expect(await run(to("42", "m1"), to("42", "m2"), to("42", "m3"))).to.deep.equal([]);
    expect(connections.posts.map(({ body }) => body)).to.deep.equal(["body of m1", "body of m2", "body of m3"]);
  });

  it("holds a session's later messages back once one has failed, and says behind what", async () => {
    const { run, connections, queue, outcomes } = setUp();
    connections.onPost = (_, body) => Promise.resolve({ result: body === "body of m2" ? "throttled" : "delivered" });
    expect(await run(to("42", "m1"), to("42", "m2", 3), to("42", "m3"), to("42", "m4", 5))).to.deep.equal(["m2", "m3"]);
    expect(connections.posts.map(({ body }) => body)).to.deep.equal(["body of m1", "body of m2"]);
    expect(outcomes()).to.deep.equal({
      m1: "delivered",
      m2: "throttled",
      m3: "held-back: throttled",
      m4: "held-back: throttled",
    });
    // One call for the whole batch, each message with its own attempt's back-off.
    expect(queue.visibilities).to.deep.equal([[backoffOf("m2", 4), backoffOf("m3", 1)]]);
    expect(queue.deadLetters.map(({ attributes }) => attributes.reason?.stringValue)).to.deep.equal([
      "held-back: throttled",
    ]);
  });

  it("goes on with a session after a message that can never succeed", async () => {
    const { run, connections, reasons } = setUp();
    connections.onPost = (_, body) =>
      Promise.resolve({ result: body === "body of m1" ? "payload-too-large" : "delivered" });
    expect(await run(to("42", "m1"), to("42", "m2"))).to.deep.equal([]);
    expect(connections.posts).to.have.length(2);
    expect(reasons()).to.deep.equal(["payload-too-large"]);
  });

  it("sends a session's later messages to the connection that the first one found", async () => {
    const { run, connections, sessions } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put(reconnected);
    expect(await run(to("42", "m1"), to("42", "m2"))).to.deep.equal([]);
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1", "c2", "c2"]);
  });

  it("lets no session wait for another", async () => {
    const { run, connections, sessions } = setUp();
    sessions.put({ ...row, callerId: "user#43", connectionId: "c2" });
    let release: (outcome: PostOutcome) => void = () => expect.fail("c1 was not posted to");
    // c1 answers only once c2 has been posted to: one after the other, this would never end.
    connections.onPost = (connectionId) => {
      if (connectionId === "c1") return new Promise((resolve) => (release = resolve));
      release({ result: "timeout" });
      return Promise.resolve({ result: "delivered" });
    };
    expect(await run(to("42", "m1"), to("43", "m2"))).to.deep.equal(["m1"]);
  });

  it("delivers more sessions than it sends to at a time, which are 50", async () => {
    const { run, connections, sessions } = setUp();
    sessions.rows.clear();
    let underway = 0;
    let most = 0;
    connections.onPost = async () => {
      most = Math.max(most, ++underway);
      await new Promise(setImmediate);
      underway--;
      return { result: "delivered" };
    };
    const users = Array.from({ length: 120 }, (_, i) => String(i));
    for (const user of users) sessions.put({ ...row, callerId: `user#${user}`, connectionId: `c-${user}` });
    expect(await run(...users.map((user) => to(user, `m-${user}`)))).to.deep.equal([]);
    expect(connections.posts).to.have.length(120);
    expect(most).to.equal(50);
  });

  it("fails every valid message where the sessions cannot be read", async () => {
    const { run, sessions, connections, outcomes, reasons } = setUp();
    sessions.failing.add("readAll");
    const bad = sqsRecord({ messageId: "m3", attributes: { user: undefined } });
    expect(await run(to("42", "m1"), to("43", "m2"), bad)).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.include({ m1: "session-store-unavailable", m2: "session-store-unavailable" });
    expect(reasons()).to.deep.equal(["missing-attribute: user"]);
    expect(connections.posts).to.deep.equal([]);
  });

  it("fails one message, not the batch, where handling it throws", async () => {
    const { run, connections, sessions, outcomes } = setUp();
    sessions.put({ ...row, callerId: "user#43", connectionId: "c2" });
    connections.onPost = (connectionId) =>
      connectionId === "c1" ? Promise.reject(new Error("a fault of ours")) : Promise.resolve({ result: "delivered" });
    expect(await run(to("42", "m1"), to("43", "m2"))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "internal-error", m2: "delivered" });
  });

  it("logs no body", async () => {
    const { run, log } = setUp();
    await run(to("42", "m1"), to("43", "m2", 5));
    expect(log.text).to.contain("m2").and.not.to.contain("body of");
  });
});
