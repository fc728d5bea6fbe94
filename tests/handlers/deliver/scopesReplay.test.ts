import { expect } from "chai";
import { withScopes, type IsTaken, isSafeForAll, isTakenByOne } from "../../../handlers/deliver/withScopes";
import { type Attempted, NOT_REACHED, type Outcome } from "../../../handlers/deliver/outcome";
import { messageOf } from "../../../handlers/messages/message";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { sqsRecord } from "../../support/events";
import { MemoryPartialDeliveries } from "../../support/memoryPartialDeliveries";
import { MemoryScopes } from "../../support/memoryScopes";
import { row, setUp as setUpReplay } from "./deliverReplaySetUp";

const chat7: SessionKey = { callerId: "user#42", context: "chat#7" };
const chat8: SessionKey = { callerId: "user#42", context: "chat#8" };
const news1: SessionKey = { callerId: "user#42", context: "news#1" };

const scoped = (given: Parameters<typeof sqsRecord>[0] = {}) =>
  sqsRecord({
    ...given,
    attributes: { scope: "user", context: undefined, contextId: undefined, ...given.attributes },
  });

/** `deliver` in replay mode, for a user with three sessions; the second has no client. */
function setUp() {
  const relay = setUpReplay();
  relay.sessions.put({ ...row, ...news1, connectionId: "c3" });
  relay.scopes.keys.push(chat7, chat8, news1);
  const counted = () => relay.metrics.flushes.flat().map(({ name, reason }) => (reason ? `${name} ${reason}` : name));
  return { ...relay, counted, storedForEach: () => [chat7, chat8, news1].map((key) => relay.stored(key)) };
}

describe("deliver in replay: a message for a scope", () => {
  it("is stored in the history of each session, posted where a client is connected, and counted once", async () => {
    const { run, storedForEach, posted, outcomes, counted, partials } = setUp();
    expect(await run(scoped({ attributes: { messageId: "news-7" } }))).to.deep.equal([]);
    expect(storedForEach()).to.deep.equal([["1 news-7"], ["1 news-7"], ["1 news-7"]]);
    expect(posted().sort()).to.deep.equal(["c1: 1", "c3: 1"]);
    expect(outcomes()).to.deep.equal({ m1: "delivered" });
    expect(counted()).to.deep.equal(["Delivered", "AgeAtDelivery"]);
    expect(partials.calls).to.deep.equal([]);
  });

  it("is stored if no client is connected, and counted once", async () => {
    const { run, sessions, outcomes, counted } = setUp();
    sessions.rows.clear();
    expect(await run(scoped())).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: no-session" });
    expect(counted()).to.deep.equal(["Stored no-session"]);
  });

  it("is stored once for each session, by the queue's id, if deliver dies in the middle and gets it again", async () => {
    const { run, history, restart, storedForEach, outcomes } = setUp();
    let puts = 0;
    // The answer to the second write is lost, and nothing after it happens.
    history.afterCall = (name) =>
      name === "put" && ++puts >= 2 ? Promise.reject(new Error("the function was stopped")) : Promise.resolve();
    history.beforeCall = (name) =>
      name === "put" && puts >= 2 ? Promise.reject(new Error("the function was stopped")) : Promise.resolve();
    expect(await run(scoped())).to.deep.equal(["m1"]);
    history.afterCall = history.beforeCall = () => Promise.resolve();
    restart();
    expect(await run(scoped({ attempt: 2 }))).to.deep.equal([]);
    expect(storedForEach()).to.deep.equal([["1 m1"], ["1 m1"], ["1 m1"]]);
    expect(outcomes().m1).to.equal("delivered");
  });

  it("is stored once for each session if it is redriven, or published again with its messageId", async () => {
    const { run, storedForEach, history } = setUp();
    const attributes = { messageId: "news-7" };
    history.beforeCall = (name, key) =>
      name === "put" && key?.context === "chat#8" ? Promise.reject(new Error("no table")) : Promise.resolve();
    await run(scoped({ attributes, attempt: 5 }));
    history.beforeCall = () => Promise.resolve();
    const originalMessageId = "0f5e6d7c-8b9a-4a0b-9c1d-2e3f4a5b6c7d";
    await run(scoped({ messageId: "m2", attributes: { ...attributes, originalMessageId } }));
    await run(scoped({ messageId: "m3", attributes }));
    expect(storedForEach()).to.deep.equal([["1 news-7"], ["1 news-7"], ["1 news-7"]]);
  });

  it("claims its idempotency key in each session", async () => {
    const { run, storedForEach, outcomes } = setUp();
    const attributes = { idempotencyKey: "daily-7" };
    await run(sqsRecord({ messageId: "m1", attributes: { ...attributes, contextId: "8" } }));
    await run(scoped({ messageId: "m2", attributes }));
    expect(storedForEach()).to.deep.equal([["1 m2"], ["1 m1"], ["1 m2"]]);
    await run(scoped({ messageId: "m3", attributes }));
    expect(storedForEach()).to.deep.equal([["1 m2"], ["1 m1"], ["1 m2"]]);
    expect(outcomes()).to.deep.equal({ m1: "stored: no-session", m2: "delivered", m3: "duplicate: idempotency-key" });
  });

  it("is retried until each session has it, and dead-lettered if one never gets it", async () => {
    const { run, history, outcomes, stored, published, reasons } = setUp();
    history.beforeCall = (name, key) =>
      name === "put" && key?.context === "chat#8" ? Promise.reject(new Error("no table")) : Promise.resolve();
    expect(await run(scoped())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: history-unavailable" });
    expect(stored(chat7)).to.deep.equal(["1 m1"]);
    expect(await run(scoped({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["history-unavailable"]);
    expect(published).to.have.lengthOf(1);
    expect(published[0]).to.include({ status: "dead", user: "42", context: "", contextId: "", messageId: "m1" });
  });

  it("is not dead-lettered after its last attempt once each session has stored it", async () => {
    const { run, connections, reasons, storedForEach, posted } = setUp();
    connections.answers.set("c3", "throttled");
    expect(await run(scoped())).to.deep.equal(["m1"]);
    connections.posts.length = 0;
    expect(await run(scoped({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal([]);
    expect(storedForEach()).to.deep.equal([["1 m1"], ["1 m1"], ["1 m1"]]);
    expect(posted()).to.deep.equal(["c3: 1"]);
  });

  it("is dead-lettered, although a connection took it, if its sessions are not known: one of them may never get it", async () => {
    const { run, scopes, partials, reasons } = setUp();
    partials.takenBy.set("m1", new Set(["c1"]));
    scopes.fails = true;
    expect(await run(scoped({ attempt: 2 }))).to.deep.equal(["m1"]);
    expect(await run(scoped({ attempt: 5 }))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["session-store-unavailable"]);
  });

  it("has a dead letter's receipt with its context, and without a contextId", async () => {
    const { run, scopes, published } = setUp();
    scopes.keys.length = 0;
    await run(scoped({ attempt: 5, attributes: { scope: "context", context: "chat" } }));
    expect(published[0]).to.include({
      status: "dead",
      reason: "no-session",
      user: "42",
      context: "chat",
      contextId: "",
    });
  });
});

describe("the outcome of a message for several sessions", () => {
  const delivered: Outcome = { kind: "delivered", connectionIds: ["c1"] };
  const stored: Outcome = { kind: "stored", reason: "no-session" };
  const duplicate: Outcome = { kind: "duplicate", reason: "idempotency-key", firstSqsMessageId: "m0" };
  const expired: Outcome = { kind: "undeliverable", reason: "expired" };
  const failed: Outcome = { kind: "failed", reason: "throttled" };
  const cursor = { epoch: "e1", seq: 1 };
  type Part = Omit<Attempted, "message">;

  const combined = async (isTaken: IsTaken, ...parts: (Outcome | Part)[]) => {
    const scopes = new MemoryScopes();
    parts.forEach((_, index) => scopes.keys.push({ callerId: "user#42", context: `chat#${index}` }));
    const attempt = withScopes<object>(
      (messages) =>
        Promise.resolve(
          messages.map((message, index) => {
            const part = parts[index] as Outcome | Part;
            return "outcome" in part ? { message, ...part } : { message, outcome: part };
          }),
        ),
      isTaken,
    );
    const dependencies = {
      scopes,
      ...{ partials: new MemoryPartialDeliveries(), metrics: new RecordedMetrics(), log: new RecordedLog() },
      now: () => 0,
    };
    const [result] = await attempt([messageOf(scoped())], dependencies, new AbortController().signal);
    const { outcome, isTaken: taken } = result as Attempted;
    const words =
      "reason" in outcome && outcome.kind !== "not-reached" ? `${outcome.kind}: ${outcome.reason}` : outcome.kind;
    return taken && outcome.kind !== "delivered" ? `${words}, taken` : words;
  };

  const inRetryMode: [name: string, parts: (Outcome | Part)[], expected: string][] = [
    ["delivered and failed", [delivered, failed], "failed: throttled, taken"],
    ["failed", [failed, failed], "failed: throttled"],
    [
      "failed, with one connection that took it earlier",
      [{ outcome: failed, isTaken: true }],
      "failed: throttled, taken",
    ],
    ["delivered and not reached", [delivered, NOT_REACHED], "not-reached, taken"],
    ["not reached and failed", [NOT_REACHED, failed], "failed: throttled"],
    ["delivered and expired", [expired, delivered], "undeliverable: expired, taken"],
    ["expired", [expired, expired], "undeliverable: expired"],
    [
      "expired, with one connection that took it earlier",
      [{ outcome: expired, isTaken: true }],
      "undeliverable: expired, taken",
    ],
  ];
  for (const [name, parts, expected] of inRetryMode) {
    it(`is ${expected} in retry mode if it is ${name}`, async () =>
      expect(await combined(isTakenByOne, ...parts)).to.equal(expected));
  }

  const inReplayMode: [name: string, parts: (Outcome | Part)[], expected: string][] = [
    ["stored and delivered", [stored, delivered], "delivered"],
    ["stored and a duplicate", [duplicate, stored], "stored: no-session, taken"],
    ["a duplicate", [duplicate, duplicate], "duplicate: idempotency-key, taken"],
    ["delivered and failed before it was stored", [delivered, failed], "failed: throttled"],
    ["stored and failed after it was stored", [stored, { outcome: failed, cursor }], "failed: throttled, taken"],
    [
      "failed after it was stored",
      [
        { outcome: failed, cursor },
        { outcome: failed, cursor },
      ],
      "failed: throttled",
    ],
    ["delivered and not reached", [delivered, NOT_REACHED], "not-reached"],
    ["delivered and expired before it was stored", [delivered, expired], "undeliverable: expired"],
  ];
  for (const [name, parts, expected] of inReplayMode) {
    it(`is ${expected} in replay mode if it is ${name}`, async () =>
      expect(await combined(isSafeForAll, ...parts)).to.equal(expected));
  }

  it("is a failure of the relay's if the attempt throws, and the messages for one session have theirs", async () => {
    const scopes = new MemoryScopes();
    scopes.keys.push(chat7);
    const log = new RecordedLog();
    const attempt = withScopes<object>((messages) => {
      if (messages.some(({ scope }) => scope)) return Promise.reject(new Error("a fault"));
      return Promise.resolve(messages.map((message) => ({ message, outcome: delivered })));
    }, isTakenByOne);
    const results = await attempt(
      [messageOf(scoped()), messageOf(sqsRecord({ messageId: "m2" }))],
      { scopes, partials: new MemoryPartialDeliveries(), metrics: new RecordedMetrics(), log, now: () => 0 },
      new AbortController().signal,
    );
    expect(results.map(({ outcome }) => outcome)).to.deep.equal([
      { kind: "failed", reason: "internal-error" },
      delivered,
    ]);
    expect(log.lines[0]).to.deep.include({ level: "error", sqsMessageIds: ["m1"] });
  });
});
