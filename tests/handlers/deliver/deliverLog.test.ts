import { expect } from "chai";
import { now, reconnected, row, setUp } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";

describe("deliver: its log", () => {
  const owned = (given: Parameters<typeof sqsRecord>[0] = {}) =>
    sqsRecord({ messageId: "m1", ...given, attributes: { messageId: "order-7", ...given.attributes } });

  it("names a message by its publisher's id and by the queue's", async () => {
    const { run, log } = setUp();
    await run(owned());
    expect(log.lines).to.deep.equal([
      {
        level: "info",
        event: "delivered",
        messageId: "order-7",
        sqsMessageId: "m1",
        attempt: 1,
        connectionIds: ["c1"],
        callerId: "user#42",
        context: "chat#7",
      },
    ]);
  });

  it("names the connection that took a message, also where the client had reconnected meanwhile", async () => {
    const { run, log, sessions, connections } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put(reconnected);
    await run(owned());
    expect(log.lines.at(-1)).to.deep.include({ event: "delivered", connectionIds: ["c2"] });
  });

  it("names a message without an id of its publisher's by the queue's alone", async () => {
    const { run, log } = setUp();
    await run(sqsRecord({ messageId: "m1" }));
    expect(log.lines[0]).to.include({ messageId: "m1", sqsMessageId: "m1" });
  });

  it("names a redriven message by the id that its publisher was given, and by both of the queue's", async () => {
    const { run, log, sessions } = setUp();
    sessions.rows.clear();
    await run(owned({ messageId: "m2", attempt: 5, attributes: { originalMessageId: "m1" } }));
    expect(log.lines.find(({ event }) => event === "dead-lettered")).to.include({
      messageId: "order-7",
      sqsMessageId: "m2",
      originalMessageId: "m1",
    });
  });

  it("follows a message from its first attempt into the dead-letter queue under one id", async () => {
    const { run, log, queue, connections } = setUp();
    connections.answers.set("c1", "throttled");
    for (let attempt = 1; attempt <= 5; attempt++) await run(owned({ attempt }));
    const followed = log.lines.filter(({ messageId }) => messageId === "order-7").map(({ event }) => event);
    expect(followed).to.deep.equal([
      ...Array.from({ length: 5 }, () => ["not posted", "failed"]).flat(),
      "dead-lettered",
    ]);
    expect(queue.deadLetters.map(({ attributes }) => attributes.messageId?.stringValue)).to.deep.equal(["order-7"]);
  });

  for (const [name, arrange, events] of [
    ["a post that failed", ({ connections }) => connections.answers.set("c1", "throttled"), ["not posted", "failed"]],
    [
      "a post that is forbidden",
      ({ connections }) => connections.answers.set("c1", "forbidden"),
      ["configuration error: the function may not post to connections", "failed"],
    ],
    [
      "a session that cannot be read again",
      ({ connections, sessions }) => (connections.answers.set("c1", "gone"), sessions.failing.add("read")),
      ["not posted", "session not read again", "failed"],
    ],
    [
      "a connection that is removed",
      ({ connections }) => {
        connections.answers.set("c1", "gone");
        connections.close = () => Promise.resolve("gone");
      },
      ["not posted", "removed a connection that is gone", "failed"],
    ],
    [
      "a connection that is removed, and lives all the same",
      ({ connections }) => connections.answers.set("c1", "gone"),
      [
        "not posted",
        "closed a connection that the gateway had called gone",
        "removed a connection that is gone",
        "failed",
      ],
    ],
    [
      "a connection that is kept, for it cannot be closed",
      ({ connections }) => {
        connections.answers.set("c1", "gone");
        connections.closeFails = true;
      },
      ["not posted", "connection kept: it could not be checked", "failed"],
    ],
    [
      "a connection that is kept, for it cannot be judged",
      ({ connections }) => (connections.answers.set("c1", "gone"), (connections.gone = undefined)),
      ["not posted", "connection kept: it could not be checked", "failed"],
    ],
    [
      "an expired session",
      ({ sessions }) => sessions.put({ ...row, expirationDate: now / 1000 }),
      ["connection of an expired session closed", "failed"],
    ],
    [
      "an expired session whose connection cannot be closed",
      ({ sessions, connections }) => {
        sessions.put({ ...row, expirationDate: now / 1000 });
        connections.closeFails = true;
      },
      ["connection of an expired session not closed", "failed"],
    ],
    [
      "a fault of ours",
      ({ connections }) => (connections.onPost = () => Promise.reject(new Error("a fault of ours"))),
      ["message not handled", "failed"],
    ],
  ] as [string, (relay: ReturnType<typeof setUp>) => unknown, string[]][]) {
    it(`names the message in each line about ${name}`, async () => {
      const relay = setUp();
      arrange(relay);
      await relay.run(owned());
      expect(relay.log.lines.map(({ event }) => event)).to.deep.equal(events);
      for (const line of relay.log.lines) expect(line).to.include({ messageId: "order-7", sqsMessageId: "m1" });
    });
  }

  it("names the message that could not be dead-lettered", async () => {
    const { run, log, queue, sessions } = setUp();
    sessions.rows.clear();
    queue.deadLetterFails = true;
    await run(owned({ attempt: 5 }));
    expect(log.lines.at(-1)).to.include({
      level: "error",
      event: "not dead-lettered: will be retried",
      error: "Error",
      messageId: "order-7",
      sqsMessageId: "m1",
      attempt: 5,
      reason: "no-session",
    });
  });
});
