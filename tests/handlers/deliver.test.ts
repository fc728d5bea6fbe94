import type { SQSRecord } from "aws-lambda";
import { expect } from "chai";
import type { PostOutcome } from "../../handlers/connections";
import { deliver } from "../../handlers/deliver";
import type { Session } from "../../handlers/session";
import { MemoryConnections, MemoryQueue, MemorySessions, RecordedLog } from "./boundaries";
import { sqsEvent, sqsRecord } from "./events";

const now = 1_700_000_000_000;
const row: Session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: now - 60_000,
  expirationDate: now / 1000 + 1,
};

function setUp(remainingMs = 30_000) {
  const sessions = new MemorySessions();
  const connections = new MemoryConnections();
  const queue = new MemoryQueue();
  const log = new RecordedLog();
  sessions.put(row);
  const handle = deliver({
    ...{ sessions, connections, queue, log, now: () => now, random: () => 0 },
    ...{ maxAttempts: 5, backoff: { minSeconds: 2, maxSeconds: 120 } },
  });
  return {
    ...{ sessions, connections, queue, log },
    rows: () => [...sessions.rows.values()],
    /** The ids of the messages that are reported as failed. */
    run: async (...records: SQSRecord[]) => {
      const answer = await handle(sqsEvent(...records), { getRemainingTimeInMillis: () => remainingMs });
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    /** What became of each message, by its id. */
    outcomes: () =>
      Object.fromEntries(
        log.lines
          .filter(({ event }) => ["delivered", "failed", "undeliverable", "not-reached"].includes(event))
          .map(({ event, messageId, reason }) => [messageId, reason ?? event]),
      ),
    reasons: () => queue.letters.map(({ attributes }) => attributes.reason?.stringValue),
  };
}

const backoffOf = (messageId: string, visibilityTimeoutSeconds: number) => ({
  receiptHandle: `receipt-${messageId}`,
  visibilityTimeoutSeconds,
});

describe("deliver: one message", () => {
  it("is done with a message that was posted", async () => {
    const { run, connections, queue, rows } = setUp();
    expect(await run(sqsRecord({ body: "hello" }))).to.deep.equal([]);
    expect(connections.posts).to.deep.equal([{ connectionId: "c1", body: "hello" }]);
    expect(queue.visibilities).to.deep.equal([]);
    expect(rows()).to.deep.equal([row]);
  });

  it("retries with back-off where there is no session", async () => {
    const { run, connections, queue, sessions, outcomes } = setUp();
    sessions.rows.clear();
    expect(await run(sqsRecord({ attempt: 3 }))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "no-session" });
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 4)]]);
    expect(connections.posts).to.deep.equal([]);
  });

  for (const closeFails of [false, true]) {
    it(`closes an expired session's connection${closeFails ? ", even in vain," : ""} and retries`, async () => {
      const { run, connections, sessions, outcomes, rows } = setUp();
      const expired = { ...row, expirationDate: now / 1000 };
      sessions.put(expired);
      connections.closeFails = closeFails;
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: "session-expired" });
      expect(connections.closed).to.deep.equal(["c1"]);
      expect(connections.posts).to.deep.equal([]);
      expect(rows()).to.deep.equal([expired]);
    });
  }

  for (const result of ["throttled", "gateway-error", "network-error", "timeout", "forbidden"] as const) {
    it(`retries with back-off and keeps the row after ${result}`, async () => {
      const { run, connections, queue, sessions, outcomes, rows, log } = setUp();
      connections.answers.set("c1", result);
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: result });
      expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 1)]]);
      expect(rows()).to.deep.equal([row]);
      expect(sessions.calls).to.deep.equal(["readAll"]);
      const errors = log.lines.filter(({ level }) => level === "error").map(({ event }) => event);
      expect(errors).to.deep.equal(
        result === "forbidden" ? ["configuration error: the function may not post to connections"] : [],
      );
    });
  }

  it("dead-letters a message that the gateway finds too large, at once", async () => {
    const { run, connections, reasons } = setUp();
    connections.answers.set("c1", "payload-too-large");
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["payload-too-large"]);
  });

  for (const [given, reason] of [
    [{ attributes: { contextId: undefined } }, "missing-attribute: contextId"],
    [{ attributes: { context: "a#b" } }, "unusable-attribute: context contains #"],
    [{ body: "x".repeat(131_073) }, "payload-too-large"],
  ] as const) {
    it(`dead-letters ${reason} at the first attempt, without a look at the table`, async () => {
      const { run, queue, reasons, sessions, connections } = setUp();
      expect(await run(sqsRecord(given))).to.deep.equal([]);
      expect(reasons()).to.deep.equal([reason]);
      expect(queue.letters[0]?.attributes.attempts?.stringValue).to.equal("1");
      expect(sessions.calls).to.deep.equal([]);
      expect(connections.posts).to.deep.equal([]);
    });
  }

  it("reports an undeliverable message as failed where it cannot be dead-lettered", async () => {
    const { run, queue } = setUp();
    queue.deadLetterFails = true;
    expect(await run(sqsRecord({ attempt: 2, attributes: { user: undefined } }))).to.deep.equal(["m1"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 2)]]);
  });
});

describe("deliver: a connection that is gone", () => {
  it("finds no session any more, and retries", async () => {
    const { run, connections, sessions, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.rows.clear();
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "no-session" });
    expect(connections.asked).to.deep.equal([]);
  });

  it("posts to the connection that the row names by now", async () => {
    const { run, connections, sessions } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put({ ...row, connectionId: "c2" });
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1", "c2"]);
  });

  it("tries three connections at most, and judges none that it has not tried", async () => {
    const { run, connections, sessions, outcomes, rows } = setUp();
    let n = 1;
    for (const id of ["c1", "c2", "c3", "c4"]) connections.answers.set(id, "gone");
    sessions.beforeRead = () => sessions.put({ ...row, connectionId: `c${++n}` });
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1", "c2", "c3"]);
    expect(connections.asked).to.deep.equal([]);
    expect(rows().map(({ connectionId }) => connectionId)).to.deep.equal(["c4"]);
  });

  it("closes the new connection where its row has expired", async () => {
    const { run, connections, sessions, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put({ ...row, connectionId: "c2", expirationDate: now / 1000 });
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "session-expired" });
    expect(connections.closed).to.deep.equal(["c2"]);
  });

  it("keeps the row of a connection younger than 60 s, unasked", async () => {
    const { run, connections, sessions, rows, outcomes } = setUp();
    const young = { ...row, connectedAt: now - 59_999 };
    sessions.put(young);
    connections.answers.set("c1", "gone");
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
    expect(connections.asked).to.deep.equal([]);
    expect(rows()).to.deep.equal([young]);
  });

  for (const [name, gone, kept] of [
    ["deletes the row where the gateway confirms it", true, 0],
    ["keeps the row where the gateway knows the connection", false, 1],
    ["keeps the row where the gateway cannot be asked", undefined, 1],
  ] as const) {
    it(`${name}, and retries`, async () => {
      const { run, connections, rows, outcomes } = setUp();
      connections.answers.set("c1", "gone");
      connections.gone = gone;
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
      expect(connections.asked).to.deep.equal(["c1"]);
      expect(rows()).to.have.length(kept);
    });
  }

  it("never deletes the row of a client that comes back while the gateway is asked", async () => {
    const { run, connections, sessions, rows } = setUp();
    const back = { ...row, connectionId: "c2", connectedAt: now };
    connections.answers.set("c1", "gone");
    connections.isGone = () => (sessions.put(back), Promise.resolve(true));
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(rows()).to.deep.equal([back]);
  });

  for (const [method, reason] of [
    ["read", "session-store-unavailable"],
    ["deleteIfConnection", "connection-gone"],
  ] as const) {
    it(`retries where ${method} fails`, async () => {
      const { run, connections, sessions, outcomes, rows } = setUp();
      connections.answers.set("c1", "gone");
      sessions.failing.add(method);
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: reason });
      expect(rows()).to.deep.equal([row]);
    });
  }
});

describe("deliver: the last attempt", () => {
  for (const attempt of [5, 6]) {
    it(`dead-letters a message that fails in attempt ${attempt} of 5, with its cause`, async () => {
      const { run, queue, connections } = setUp();
      connections.answers.set("c1", "throttled");
      expect(await run(sqsRecord({ attempt, body: "hello" }))).to.deep.equal([]);
      expect(queue.letters).to.have.length(1);
      const { body, attributes } = queue.letters[0] ?? expect.fail();
      expect(body).to.equal("hello");
      expect(attributes.reason?.stringValue).to.equal("throttled");
      expect(attributes.attempts).to.deep.equal({ dataType: "Number", stringValue: String(attempt) });
      expect(attributes.originalMessageId?.stringValue).to.equal("m1");
      expect(queue.visibilities).to.deep.equal([]);
    });
  }

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
    expect(queue.letters).to.deep.equal([]);
  });

  it("names the attributes that a dead letter had no room for", async () => {
    const { run, log, sessions } = setUp();
    sessions.rows.clear();
    await run(sqsRecord({ attempt: 5, attributes: { a: "1", b: "1", c: "1", d: "1", e: "secret" } }));
    expect(log.lines.find(({ event }) => event === "dead-lettered")?.droppedAttributes).to.deep.equal(["e"]);
    expect(log.text).not.to.contain("secret");
  });
});

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
    expect(queue.letters.map(({ attributes }) => attributes.reason?.stringValue)).to.deep.equal([
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
    sessions.beforeRead = () => sessions.put({ ...row, connectionId: "c2" });
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

  it("delivers more sessions than it sends to side by side", async () => {
    const { run, connections, sessions } = setUp();
    const users = Array.from({ length: 120 }, (_, i) => String(i));
    for (const user of users) sessions.put({ ...row, callerId: `user#${user}`, connectionId: `c-${user}` });
    expect(await run(...users.map((user) => to(user, `m-${user}`)))).to.deep.equal([]);
    expect(connections.posts).to.have.length(120);
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
    queue.deadLetter = (letter, signal?: AbortSignal) => (signals.push(signal?.aborted), send(letter));
    connections.onPost = untilAborted;
    expect(await run(sqsRecord({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["timeout"]);
    expect(signals).to.deep.equal([false]);
  });
});
