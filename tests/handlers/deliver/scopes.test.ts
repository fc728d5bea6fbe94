import { expect } from "chai";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import { sqsRecord } from "../../support/events";
import { now, row, setUp as setUpRetry } from "./deliverSetUp";

const [chat7, chat8, news1]: SessionKey[] = [
  { callerId: "user#42", context: "chat#7" },
  { callerId: "user#42", context: "chat#8" },
  { callerId: "user#42", context: "news#1" },
] as const;

/** A record for all sessions of the user; with a context, for those in it. */
const scoped = ({ context, attributes, ...given }: Parameters<typeof sqsRecord>[0] & { context?: string } = {}) =>
  sqsRecord({
    ...given,
    attributes: { scope: context === undefined ? "user" : "context", context, contextId: undefined, ...attributes },
  });

/** `deliver` in retry mode, with a connection `c1` to `c3` for each of three sessions of the user. */
function setUp(remainingMs?: number) {
  const relay = setUpRetry(remainingMs);
  relay.sessions.put({ ...row, ...chat8, connectionId: "c2" });
  relay.sessions.put({ ...row, ...news1, connectionId: "c3" });
  relay.scopes.keys.push(chat7 as SessionKey, chat8 as SessionKey, news1 as SessionKey);
  const posted = () => relay.connections.posts.map(({ connectionId, body }) => `${connectionId}: ${body}`).sort();
  return { ...relay, posted, counted: () => relay.metrics.flushes.flat().map(({ name, value }) => `${name} ${value}`) };
}

describe("deliver: a message for a scope", () => {
  it("posts it to each session of the user once, and counts it once", async () => {
    const { run, posted, outcomes, counted, scopes, partials, log } = setUp();
    expect(await run(scoped({ body: "hello", sentAtMs: now - 500 }))).to.deep.equal([]);
    expect(posted()).to.deep.equal(["c1: hello", "c2: hello", "c3: hello"]);
    expect(outcomes()).to.deep.equal({ m1: "delivered" });
    expect(counted()).to.deep.equal(["Delivered 1", "AgeAtDelivery 500"]);
    expect(scopes.calls).to.deep.equal([`user#42 * at ${now / 1000}`]);
    expect(partials.calls).to.deep.equal([]);
    expect(log.lines).to.deep.include({
      ...{ level: "info", event: "delivered", messageId: "m1", sqsMessageId: "m1", attempt: 1, callerId: "user#42" },
      connectionIds: ["c1", "c2", "c3"],
    });
  });

  it("posts it to the sessions of the context, and to no other", async () => {
    const { run, posted, scopes } = setUp();
    await run(scoped({ body: "hello", context: "chat" }));
    expect(posted()).to.deep.equal(["c1: hello", "c2: hello"]);
    expect(scopes.calls).to.deep.equal([`user#42 chat at ${now / 1000}`]);
  });

  it("posts the messages for one session first, and lists the sessions of a scope once for a batch", async () => {
    const { run, connections, outcomes, scopes, sessions } = setUp();
    const given = [scoped({ messageId: "m1" }), sqsRecord({ messageId: "m2" }), scoped({ messageId: "m3" })];
    expect(await run(...given)).to.deep.equal([]);
    const toFirst = connections.posts.filter(({ connectionId }) => connectionId === "c1");
    expect(toFirst.map(({ body }) => body)).to.deep.equal(["body of m2", "body of m1", "body of m3"]);
    expect(outcomes()).to.deep.equal({ m1: "delivered", m2: "delivered", m3: "delivered" });
    expect(scopes.calls).to.have.lengthOf(1);
    expect(sessions.calls).to.deep.equal(["readAll", "readAll"]);
  });

  it("keeps the dead letters and failures of a batch in its order", async () => {
    const { run, connections } = setUp();
    connections.answers.set("c1", "throttled");
    const given = [scoped({ messageId: "m1" }), sqsRecord({ messageId: "m2" }), scoped({ messageId: "m3" })];
    expect(await run(...given)).to.deep.equal(["m1", "m2", "m3"]);
  });

  it("lists no sessions for a batch without a scope", async () => {
    const { run, scopes, partials } = setUp();
    await run(sqsRecord());
    expect(scopes.calls).to.deep.equal([]);
    expect(partials.calls).to.deep.equal([]);
  });

  it("records the connections that took it if it failed for another session, and delivers to the others", async () => {
    const { run, connections, posted, outcomes, partials, log, counted } = setUp();
    connections.answers.set("c2", "throttled");
    expect(await run(scoped({ body: "hello", sentAtMs: now }))).to.deep.equal(["m1"]);
    expect(posted()).to.deep.equal(["c1: hello", "c2: hello", "c3: hello"]);
    expect(outcomes()).to.deep.equal({ m1: "throttled" });
    expect([...(partials.takenBy.get("m1") ?? [])]).to.deep.equal(["c1", "c3"]);
    expect(partials.expirationDates).to.deep.equal([now / 1000 + 14 * 86_400]);
    expect(counted().map((each) => each.split(" ")[0])).to.deep.equal(["AgeAtFailedAttempt", "Retried"]);
    expect(log.lines).to.deep.include({
      ...{ level: "info", event: "not done for all sessions of a scope", messageId: "m1", sqsMessageId: "m1" },
      ...{ sessions: 3, open: ["chat#8: throttled"] },
    });
  });

  it("retries it, and says so, if the connections that took it cannot be recorded", async () => {
    const { run, connections, partials, log } = setUp();
    connections.answers.set("c2", "throttled");
    partials.failing.add("add");
    expect(await run(scoped())).to.deep.equal(["m1"]);
    expect(log.lines.find(({ event }) => event.startsWith("partial delivery not recorded"))).to.deep.include({
      level: "error",
      connectionIds: ["c1", "c3"],
    });
  });

  it("is posted only to the session that it failed for at the next attempt, and counted then", async () => {
    const { run, connections, posted, outcomes, counted } = setUp();
    connections.answers.set("c2", "throttled");
    await run(scoped({ body: "hello" }));
    connections.posts.length = 0;
    connections.answers.clear();
    expect(await run(scoped({ body: "hello", attempt: 2 }))).to.deep.equal([]);
    expect(posted()).to.deep.equal(["c2: hello"]);
    expect(outcomes()).to.deep.equal({ m1: "delivered" });
    expect(counted().filter((each) => each.startsWith("Delivered"))).to.deep.equal(["Delivered 1"]);
  });

  it("is not dead-lettered after its last attempt if a connection took it, and the log names those that did not", async () => {
    const { run, connections, reasons, log } = setUp();
    connections.answers.set("c2", "throttled");
    await run(scoped());
    expect(await run(scoped({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal([]);
    expect(log.lines.filter(({ level }) => level === "warn")).to.deep.equal([
      {
        ...{ level: "warn", event: "delivered, but not to all connections", messageId: "m1", sqsMessageId: "m1" },
        ...{ attempt: 5, reason: "throttled", missedBy: ["c2"] },
      },
    ]);
  });

  it("is dead-lettered after its last attempt if no connection took it", async () => {
    const { run, connections, reasons } = setUp();
    connections.onPost = () => Promise.resolve({ result: "throttled" });
    expect(await run(scoped({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["throttled"]);
  });

  it("delivers another message to a session whose part of a scoped one failed, and holds back the next scoped one", async () => {
    const { run, connections, outcomes } = setUp();
    connections.onPost = (connectionId, body) =>
      Promise.resolve({ result: connectionId === "c2" && body === "body of m1" ? "throttled" : "delivered" });
    const other = sqsRecord({ messageId: "m3", attributes: { contextId: "8" } });
    expect(await run(scoped({ messageId: "m1" }), scoped({ messageId: "m2" }), other)).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "throttled", m2: "held-back: throttled", m3: "delivered" });
  });

  it("records nothing if no connection took it", async () => {
    const { run, connections, partials, outcomes } = setUp();
    connections.onPost = () => Promise.resolve({ result: "throttled" });
    expect(await run(scoped())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "throttled" });
    expect(partials.calls).to.deep.equal([]);
  });

  it("records what was delivered when time is up, too", async () => {
    const { run, connections, partials } = setUp(100);
    connections.onPost = async (connectionId, _, signal) => {
      if (connectionId === "c1") return { result: "delivered" };
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      return { result: "timeout" };
    };
    expect(await run(scoped())).to.deep.equal(["m1"]);
    expect([...(partials.takenBy.get("m1") ?? [])]).to.deep.equal(["c1"]);
  });

  it("is retried while the user has no session, and dead-lettered with its scope in the end", async () => {
    const { run, scopes, outcomes, reasons, queue } = setUp();
    scopes.keys.length = 0;
    expect(await run(scoped({ context: "chat" }))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "no-session" });
    expect(await run(scoped({ context: "chat", attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["no-session"]);
    expect(queue.deadLetters[0]?.attributes).to.deep.include({
      scope: { dataType: "String", stringValue: "context" },
      context: { dataType: "String", stringValue: "chat" },
    });
  });

  for (const [sessions, reason] of [
    [50, undefined],
    [51, "too-many-sessions"],
  ] as const) {
    it(`is ${reason ? "dead-lettered at once" : "delivered"} if the user has ${sessions} sessions`, async () => {
      const { run, scopes, reasons, connections, sessions: store } = setUp();
      scopes.keys.length = 0;
      for (let i = 0; i < sessions; i++) {
        const key = { callerId: "user#42", context: `chat#s${i}` };
        scopes.keys.push(key);
        store.put({ ...row, ...key, connectionId: `s${i}` });
      }
      expect(await run(scoped())).to.deep.equal([]);
      expect(reasons()).to.deep.equal(reason ? [reason] : []);
      expect(connections.posts).to.have.lengthOf(reason ? 0 : sessions);
    });
  }

  it("is retried if the sessions of its scope cannot be read, and other messages are delivered", async () => {
    const { run, scopes, outcomes, log } = setUp();
    scopes.fails = true;
    expect(await run(scoped({ messageId: "m1" }), sqsRecord({ messageId: "m2" }))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "session-store-unavailable", m2: "delivered" });
    expect(log.lines.find(({ event }) => event === "sessions of a scope not read")).to.include({ level: "error" });
  });

  it("is not reached if time is up before its sessions are read", async () => {
    const { run, scopes, outcomes } = setUp(0);
    expect(await run(scoped())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "not-reached" });
    expect(scopes.calls).to.deep.equal([]);
  });

  it("is dead-lettered as expired, with or without sessions", async () => {
    const { run, scopes, reasons, connections } = setUp();
    const attributes = { expiresAt: new Date(now - 1).toISOString() };
    await run(scoped({ attributes }));
    scopes.keys.length = 0;
    await run(scoped({ messageId: "m2", attributes }));
    expect(reasons()).to.deep.equal(["expired", "expired"]);
    expect(connections.posts).to.deep.equal([]);
  });

  describe("that a connection took at an earlier attempt", () => {
    const taken = (attempt = 2) => {
      const relay = setUp();
      relay.partials.takenBy.set("m1", new Set(["c9"]));
      return { ...relay, again: () => relay.run(scoped({ attempt })) };
    };

    it("is delivered once no session is left", async () => {
      const { again, scopes, outcomes, counted } = taken();
      scopes.keys.length = 0;
      expect(await again()).to.deep.equal([]);
      expect(outcomes()).to.deep.equal({ m1: "delivered" });
      expect(counted()[0]).to.equal("Delivered 1");
    });

    it("is not dead-lettered if the user now has too many sessions, and the log says that others lack it", async () => {
      const { again, scopes, reasons, log } = taken(2);
      for (let i = 0; i < 51; i++) scopes.keys.push({ callerId: "user#42", context: `chat#s${i}` });
      expect(await again()).to.deep.equal([]);
      expect(reasons()).to.deep.equal([]);
      expect(log.lines.find(({ level }) => level === "warn")).to.include({
        event: "delivered, but not to all connections",
        reason: "too-many-sessions",
      });
    });

    it("is retried if the sessions of its scope cannot be read, since others may lack it", async () => {
      const { again, scopes, outcomes, counted } = taken();
      scopes.fails = true;
      expect(await again()).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: "session-store-unavailable" });
      expect(counted()).to.not.include("Delivered 1");
    });

    it("is not dead-lettered if the sessions of its scope cannot be read at its last attempt", async () => {
      const { again, scopes, reasons, log } = taken(5);
      scopes.fails = true;
      expect(await again()).to.deep.equal([]);
      expect(reasons()).to.deep.equal([]);
      expect(log.lines.find(({ level }) => level === "warn")).to.include({
        event: "delivered, but not to all connections",
        reason: "session-store-unavailable",
      });
    });

    it("is retried if that cannot be read", async () => {
      const { again, scopes, partials, outcomes } = taken();
      scopes.keys.length = 0;
      partials.failing.add("read");
      expect(await again()).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: "session-store-unavailable" });
    });
  });
});
