import { expect } from "chai";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { sqsRecord } from "../../support/events";
import { now, row, setUp as setUpWith } from "./deliverSetUp";

const [c2, c3] = [later(2), later(3)];

/** A later connection of the same user, context and contextId. */
function later(n: number): Session {
  return { ...row, connectionId: `c${n}`, connectedAt: row.connectedAt + n };
}

/** `deliver` with `connections: "all"`, and with `c1` and the others in its table. */
function setUp(others: Session[] = [c2], remainingMs?: number) {
  const relay = setUpWith(remainingMs, "all");
  for (const each of others) relay.sessions.put(each, "all");
  return {
    ...relay,
    /** Which connection got which messages, in their order. */
    received: () => {
      const bodies: Record<string, string[]> = {};
      for (const { connectionId, body } of relay.connections.posts) {
        (bodies[connectionId] ??= []).push(body.replace("body of ", ""));
      }
      return bodies;
    },
    counted: (name: string) => relay.metrics.flushes.flat().filter((each) => each.name === name).length,
  };
}

const m = (n: number, attempt = 1) => sqsRecord({ messageId: `m${n}`, attempt });

describe("deliver: several connections of a session", () => {
  it("posts each message to each of them, in order", async () => {
    const { run, received, log } = setUp([c2, c3]);
    expect(await run(m(1), m(2))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1", "m2"], c2: ["m1", "m2"], c3: ["m1", "m2"] });
    expect(log.lines[0]).to.deep.include({ event: "delivered", connectionIds: ["c3", "c2", "c1"] });
  });

  it("counts a message once", async () => {
    const { run, metrics, clock } = setUp();
    clock.now += 70;
    await run(sqsRecord({ sentAtMs: now }));
    expect(metrics.flushes).to.deep.equal([
      [
        { name: "Delivered", value: 1, reason: undefined },
        { name: "AgeAtDelivery", value: 70, reason: undefined },
      ],
    ]);
  });

  it("measures the age of a message when the last of them has accepted it", async () => {
    const { run, connections, clock, metrics } = setUp();
    connections.onPost = async (connectionId) => {
      if (connectionId === "c1") await new Promise(setImmediate);
      clock.now += 50;
      return { result: "delivered" };
    };
    await run(sqsRecord({ sentAtMs: now }));
    expect(metrics.flushes.flat()).to.deep.include({ name: "AgeAtDelivery", value: 100, reason: undefined });
  });

  it("costs one POST more for each message and connection, and nothing else", async () => {
    const { run, sessions, connections, partials, queue } = setUp();
    await run(m(1), m(2), m(3));
    expect(connections.posts).to.have.lengthOf(6);
    expect(sessions.calls).to.deep.equal(["readAll"]);
    expect([...partials.calls, ...connections.asked, ...connections.closed, ...queue.visibilities]).to.deep.equal([]);
  });

  it("posts to no more than 50 at a time, over all sessions", async () => {
    const { run, connections, sessions } = setUp([]);
    sessions.sessionRows.clear();
    const users = Array.from({ length: 12 }, (_, i) => String(i));
    for (const user of users) {
      for (let n = 0; n < 10; n++) {
        sessions.put({ ...later(n), callerId: `user#${user}`, connectionId: `${user}-${n}` }, "all");
      }
    }
    let [underway, most] = [0, 0];
    connections.onPost = async () => {
      most = Math.max(most, ++underway);
      await new Promise(setImmediate);
      underway--;
      return { result: "delivered" };
    };
    const records = users.map((user) => sqsRecord({ messageId: `m-${user}`, attributes: { user } }));
    expect(await run(...records)).to.deep.equal([]);
    expect(connections.posts).to.have.lengthOf(120);
    expect(most).to.equal(50);
  });

  it("posts nothing to a superseded one", async () => {
    const { run, sessions, received } = setUp([]);
    sessions.put(c2, "newest");
    expect(await run(m(1))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c2: ["m1"] });
    // The relay's setting was changed to all: a connection counts from its next handshake on.
    sessions.put(c3, "all");
    await run(m(2));
    expect(received()).to.deep.equal({ c2: ["m1", "m2"], c3: ["m2"] });
  });

  it("posts to all that are live where the relay's setting was changed to newest", async () => {
    const { run, sessions, connections } = setUpWith();
    sessions.put(c2, "all");
    expect(await run(m(1))).to.deep.equal([]);
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.have.members(["c1", "c2"]);
  });

  it("finds no session where only superseded ones are left", async () => {
    const { run, sessions, outcomes } = setUp([]);
    sessions.put(c2, "newest");
    await sessions.removeConnection(row, "c2");
    expect(await run(m(1), m(2))).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "no-session", m2: "held-back: no-session" });
  });
});

describe("deliver: one of several connections that does not take a message", () => {
  for (const result of ["throttled", "gateway-error", "network-error", "timeout", "forbidden"] as const) {
    it(`has it retried after ${result} for this one only`, async () => {
      const { run, connections, received, partials, outcomes, counted } = setUp();
      connections.answers.set("c1", result);
      expect(await run(m(1))).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: result });
      expect(partials.calls).to.deep.equal(["add m1 c2"]);
      connections.answers.clear();
      expect(await run(m(1, 2))).to.deep.equal([]);
      expect(received()).to.deep.equal({ c1: ["m1", "m1"], c2: ["m1"] });
      expect(counted("Delivered")).to.equal(1);
      expect(counted("Retried")).to.equal(1);
    });
  }

  it("holds back its own later messages, and no other's", async () => {
    const { run, connections, received, outcomes, partials } = setUp();
    connections.answers.set("c1", "throttled");
    expect(await run(m(1), m(2), m(3))).to.deep.equal(["m1", "m2", "m3"]);
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1", "m2", "m3"] });
    expect(outcomes()).to.deep.equal({ m1: "throttled", m2: "held-back: throttled", m3: "held-back: throttled" });
    connections.answers.clear();
    expect(await run(m(1, 2), m(2, 2), m(3, 2), m(4))).to.deep.equal([]);
    expect(partials.calls.filter((call) => call.startsWith("read"))).to.deep.equal(["read m1,m2,m3"]);
    expect(received()).to.deep.equal({ c1: ["m1", "m1", "m2", "m3", "m4"], c2: ["m1", "m2", "m3", "m4"] });
  });

  it("delays no other, not even where it never answers", async () => {
    const { run, connections, received } = setUp();
    let release: (outcome: PostOutcome) => void = () => expect.fail("c1 was not posted to");
    // c1 answers only once c2 has the last message: one after the other, this would never end.
    connections.onPost = (connectionId, body) => {
      if (connectionId === "c1") return new Promise((resolve) => (release = resolve));
      if (body === "body of m3") release({ result: "timeout" });
      return Promise.resolve({ result: "delivered" });
    };
    expect(await run(m(1), m(2), m(3))).to.deep.equal(["m1", "m2", "m3"]);
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1", "m2", "m3"] });
  });

  it("is remembered, also where time is up while it does not answer", async () => {
    const { run, connections, partials, outcomes } = setUp([c2], 20);
    connections.onPost = (connectionId, _, signal) =>
      connectionId === "c2"
        ? Promise.resolve({ result: "delivered" })
        : new Promise((resolve) => signal?.addEventListener("abort", () => resolve({ result: "timeout" })));
    expect(await run(m(1), m(2))).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "timeout", m2: "held-back: timeout" });
    expect(partials.calls).to.deep.equal(["add m1 c2", "add m2 c2"]);
  });

  it("keeps the row and is retried where it is gone and young: it may be just connecting", async () => {
    const { run, connections, sessions, partials, outcomes } = setUp([{ ...c2, connectedAt: now - 1 }]);
    connections.answers.set("c2", "gone");
    expect(await run(m(1))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
    expect(sessions.connectionIds()).to.deep.equal(["c1", "c2"]);
    expect(partials.calls).to.deep.equal(["add m1 c1"]);
  });

  it("is delivered without it where it is gone, and only this one is removed", async () => {
    const { run, connections, sessions, received, log, partials } = setUp();
    connections.answers.set("c1", "gone");
    expect(await run(m(1), m(2))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1", "m2"] });
    expect(sessions.connectionIds()).to.deep.equal(["c2"]);
    expect(log.lines.at(-1)).to.deep.include({ event: "delivered", connectionIds: ["c2"] });
    expect(partials.calls).to.deep.equal([]);
  });

  for (const [over, reason] of [
    [{ expirationDate: now / 1000 }, "session-expired"],
    [{ tokenExpiresAt: now / 1000 }, "token-expired"],
    [{ subprotocol: "websocket-relay.v1" }, "subprotocol-changed"],
  ] as const) {
    it(`is closed where it is over, ${reason}, and the others get their messages`, async () => {
      const { run, connections, received } = setUp([{ ...c2, ...over }]);
      expect(await run(m(1), m(2))).to.deep.equal([]);
      expect(received()).to.deep.equal({ c1: ["m1", "m2"] });
      expect(connections.closed).to.deep.equal(["c2"]);
    });
  }

  it("has it retried where handling it throws, and the others get their messages", async () => {
    const { run, connections, received, outcomes } = setUp();
    connections.onPost = (connectionId) =>
      connectionId === "c1" ? Promise.reject(new Error("a fault of ours")) : Promise.resolve({ result: "delivered" });
    expect(await run(m(1), m(2))).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "internal-error", m2: "held-back: internal-error" });
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1", "m2"] });
  });
});

describe("deliver: a client of several that has reconnected", () => {
  it("gets the messages from the one on that its old connection did not take; the others get none twice", async () => {
    const { run, connections, sessions, received } = setUp();
    connections.onPost = (connectionId, body) =>
      Promise.resolve({ result: connectionId === "c1" && body !== "body of m1" ? "gone" : "delivered" });
    sessions.beforeRead = () => sessions.put(c3, "all");
    expect(await run(m(1), m(2), m(3))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1", "m2"], c2: ["m1", "m2", "m3"], c3: ["m2", "m3"] });
  });

  it("is served once where two connections have ended", async () => {
    const { run, connections, sessions, received } = setUp();
    connections.answers.set("c1", "gone").set("c2", "gone");
    sessions.beforeRead = () => {
      sessions.sessionRows.clear();
      sessions.put(c3, "all");
    };
    expect(await run(m(1), m(2))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1"], c3: ["m1", "m2"] });
  });

  it("is found without its old connection's having ended in the row", async () => {
    const { run, connections, sessions, received } = setUp([]);
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put(c2, "all");
    expect(await run(m(1))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1"] });
    expect(sessions.connectionIds()).to.deep.equal(["c2"]);
  });

  it("gets a message that only another has taken before: its old connection's record names that one", async () => {
    const { run, connections, sessions, received } = setUp();
    connections.answers.set("c1", "throttled");
    await run(m(1));
    await sessions.removeConnection(row, "c1");
    sessions.put(c3, "all");
    expect(await run(m(1, 2))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1"], c2: ["m1"], c3: ["m1"] });
  });
});

describe("deliver: a message that some connections have taken", () => {
  it("is never dead-lettered: the last attempt says which have not", async () => {
    const { run, connections, queue, log, counted } = setUp();
    connections.answers.set("c1", "throttled");
    for (let attempt = 1; attempt < 5; attempt++) expect(await run(m(1, attempt))).to.deep.equal(["m1"]);
    expect(await run(m(1, 5))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
    expect(log.lines.at(-1)).to.deep.equal({
      level: "warn",
      event: "delivered, but not to all connections",
      messageId: "m1",
      sqsMessageId: "m1",
      attempt: 5,
      reason: "throttled",
      missedBy: ["c1"],
    });
    expect([counted("Delivered"), counted("AgeAtDelivery")]).to.deep.equal([1, 1]);
    expect([counted("Retried"), counted("DeadLettered")]).to.deep.equal([4, 0]);
  });

  it("is not dead-lettered where one takes it at the last attempt", async () => {
    const { run, connections, queue } = setUp();
    connections.answers.set("c1", "throttled");
    expect(await run(m(1, 5))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
  });

  it("is not dead-lettered where time was up before the others, at the last attempt", async () => {
    const { run, connections, queue, log } = setUp([c2], 20);
    connections.onPost = async (connectionId, _, signal) => {
      if (connectionId === "c1") await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      return { result: "delivered" };
    };
    expect(await run(m(1), m(2, 5))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
    expect(log.lines.at(-1)).to.deep.include({ reason: "not-reached", missedBy: ["c1"] });
  });

  for (const [name, arrange, reason] of [
    ["expires", ({ clock }) => void (clock.now += 60_000), "expired"],
    [
      "is found too large by another",
      ({ connections }) => void connections.answers.set("c1", "payload-too-large"),
      "payload-too-large",
    ],
  ] as [string, (relay: ReturnType<typeof setUp>) => void, string][]) {
    it(`is not dead-lettered where it ${name}`, async () => {
      const relay = setUp();
      const expiring = (attempt: number) =>
        sqsRecord({ attempt, attributes: { expiresAt: new Date(now + 60_000).toISOString() } });
      relay.connections.answers.set("c1", "throttled");
      expect(await relay.run(expiring(1))).to.deep.equal(["m1"]);
      arrange(relay);
      expect(await relay.run(expiring(2))).to.deep.equal([]);
      expect(relay.queue.deadLetters).to.deep.equal([]);
      expect(relay.log.lines.at(-1)).to.deep.include({
        level: "warn",
        event: "delivered, but not to all connections",
        reason,
        missedBy: ["c1"],
      });
      expect(relay.counted("Delivered")).to.equal(1);
    });
  }

  it("is delivered once the others are gone", async () => {
    const { run, connections, sessions, outcomes, counted } = setUp();
    connections.answers.set("c1", "throttled");
    await run(m(1));
    sessions.sessionRows.clear();
    expect(await run(m(1, 2))).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "delivered" });
    expect(counted("Delivered")).to.equal(1);
  });

  it("is recorded until the queue cannot have it any more", async () => {
    const { run, connections, partials } = setUp();
    connections.answers.set("c1", "throttled");
    await run(sqsRecord({ sentAtMs: now + 1 }));
    expect(partials.expirationDates).to.deep.equal([now / 1000 + 1 + 1_209_600]);
  });

  it("is retried where it cannot be recorded, and then posted to all again", async () => {
    const { run, connections, partials, log, received } = setUp();
    connections.answers.set("c1", "throttled");
    partials.failing.add("add");
    expect(await run(m(1))).to.deep.equal(["m1"]);
    expect(log.lines.at(-1)).to.deep.include({
      level: "error",
      event: "partial delivery not recorded: these connections get the message again",
      messageId: "m1",
      connectionIds: ["c2"],
    });
    connections.answers.clear();
    expect(await run(m(1, 2))).to.deep.equal([]);
    expect(received()).to.deep.equal({ c1: ["m1", "m1"], c2: ["m1", "m1"] });
  });

  it("is retried, and posted to none, where the record cannot be read", async () => {
    const { run, connections, partials, outcomes } = setUp();
    connections.answers.set("c1", "throttled");
    await run(m(1));
    connections.posts.length = 0;
    partials.failing.add("read");
    expect(await run(m(1, 2), m(2))).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "session-store-unavailable", m2: "session-store-unavailable" });
    expect(connections.posts).to.deep.equal([]);
  });
});

describe("deliver: one connection of a session", () => {
  for (const [name, arrange, calls, attempt = 1] of [
    ["is posted to", () => undefined, { sessions: ["readAll"], posts: 1 }],
    ["is posted to at a later attempt", () => undefined, { sessions: ["readAll"], posts: 1 }, 3],
    ["throttles", ({ connections }) => connections.answers.set("c1", "throttled"), { sessions: ["readAll"], posts: 1 }],
    ["is none", ({ sessions }) => sessions.sessionRows.clear(), { sessions: ["readAll"] }],
    [
      "is gone",
      ({ connections }) => connections.answers.set("c1", "gone"),
      { sessions: ["readAll", "read", "removeConnection"], posts: 1, asked: 1, closed: 1 },
    ],
    [
      "is gone and young",
      ({ connections, sessions }) => {
        sessions.put({ ...row, connectedAt: now - 1 });
        connections.answers.set("c1", "gone");
      },
      { sessions: ["readAll", "read"], posts: 1 },
    ],
    [
      "has been replaced",
      ({ connections, sessions }) => {
        connections.answers.set("c1", "gone");
        sessions.beforeRead = () => sessions.put(c2);
      },
      { sessions: ["readAll", "read"], posts: 2 },
    ],
    [
      "has expired",
      ({ sessions }) => sessions.put({ ...row, expirationDate: now / 1000 }),
      { sessions: ["readAll"], closed: 1 },
    ],
  ] as [
    string,
    (relay: ReturnType<typeof setUpWith>) => unknown,
    { sessions: string[]; posts?: number; asked?: number; closed?: number },
    number?,
  ][]) {
    it(`costs the calls that it cost before sessions had several, where it ${name}`, async () => {
      const relay = setUpWith();
      arrange(relay);
      await relay.run(m(1, attempt));
      const { posts = 0, asked = 0, closed = 0 } = calls;
      expect(relay.sessions.calls).to.deep.equal(calls.sessions);
      const { connections } = relay;
      expect([connections.posts.length, connections.asked.length, connections.closed.length]).to.deep.equal([
        posts,
        asked,
        closed,
      ]);
      expect(relay.partials.calls).to.deep.equal([]);
    });
  }

  describe("at the last attempt, that fails before it comes to the connections", () => {
    const taken = (remainingMs?: number) => {
      const relay = setUp([c2], remainingMs);
      relay.partials.takenBy.set("m1", new Set(["c1"]));
      return relay;
    };

    it("does not dead-letter a message that a connection took earlier, since time is up", async () => {
      const { run, reasons, log } = taken(0);
      expect(await run(m(1, 5))).to.deep.equal([]);
      expect(reasons()).to.deep.equal([]);
      expect(log.lines.find(({ level }) => level === "warn")).to.include({
        event: "delivered, but not to all connections",
        reason: "not-reached",
      });
    });

    it("does not dead-letter a message that a connection took earlier, since sessions cannot be read", async () => {
      const { run, reasons, sessions } = taken();
      sessions.failing.add("readAll");
      expect(await run(m(1, 5), m(2, 5))).to.deep.equal([]);
      expect(reasons()).to.deep.equal(["session-store-unavailable"]);
    });

    it("dead-letters it if it cannot be known, and says so", async () => {
      const { run, reasons, partials, log } = taken();
      partials.failing.add("read");
      expect(await run(m(1, 5))).to.deep.equal([]);
      expect(reasons()).to.deep.equal(["session-store-unavailable"]);
      expect(log.lines.find(({ event }) => event === "partial deliveries not read")).to.deep.include({
        level: "error",
        sqsMessageIds: ["m1"],
      });
    });
  });

  describe("that were opened before the setting became newest", () => {
    const given = () => {
      const relay = setUpWith(undefined, "newest");
      relay.sessions.put(c2, "all");
      relay.connections.answers.set("c1", "throttled");
      return relay;
    };

    it("posts a message that is retried only to those that did not take it, and never dead-letters it", async () => {
      const { run, connections, reasons } = given();
      expect(await run(m(1))).to.deep.equal(["m1"]);
      expect(await run(m(1, 5))).to.deep.equal([]);
      expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c2", "c1", "c1"]);
      expect(reasons()).to.deep.equal([]);
    });

    it("reads nothing of a message that is retried to a single connection", async () => {
      const { run, partials } = setUpWith(undefined, "newest");
      await run(m(1, 2));
      expect(partials.calls).to.deep.equal([]);
    });
  });
});
