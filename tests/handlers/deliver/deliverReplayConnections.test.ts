import { expect } from "chai";
import type { PostOutcome } from "../../../handlers/connections/connectionsClient";
import type { RawOutcomes, RawPost } from "../../../handlers/raw/postToRaw";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { sqsRecord } from "../../support/events";
import { now } from "../history/segments";
import { row, setUp as setUpWith } from "./deliverReplaySetUp";

const c2 = later("c2", 2);
const r1: Session = { ...later("r1", 3), subprotocol: undefined };
const r2: Session = { ...later("r2", 4), subprotocol: undefined };

/** A later connection of the same user, context and contextId. */
function later(connectionId: string, ms: number) {
  return { ...row, connectionId, connectedAt: row.connectedAt + ms };
}

/** Raw clients that answer what `answers` says; without an entry they accept everything. */
function rawClients() {
  const posts: RawPost[] = [];
  const answers = new Map<string, RawOutcomes[number]>();
  return {
    posts,
    answers,
    postToRaw: async (post: RawPost) => {
      posts.push(post);
      const of = ({ connectionId }: Session) => answers.get(connectionId) ?? ({ kind: "accepted" } as const);
      const accepting = post.connections.filter((each) => of(each).kind === "accepted");
      const ids = accepting.map(({ connectionId }) => connectionId);
      const isPartial = ids.length > 0 && ids.length < post.connections.length;
      for (const { entry } of post.entries) if (isPartial) await post.onPartial(entry, ids);
      return new Map(post.connections.map((each) => [each.connectionId, post.entries.map(() => of(each))]));
    },
  };
}

/** `deliver` with `connections: "all"`, and with the connections in its table. */
function setUp(live: Session[] = [row, c2], remainingMs?: number) {
  const raw = rawClients();
  const relay = setUpWith(remainingMs, { connectionsOfSession: "all", postToRaw: raw.postToRaw });
  relay.sessions.sessionRows.clear();
  for (const each of live) relay.sessions.put(each, "all");
  return {
    ...relay,
    raw,
    counted: (name: string) => relay.metrics.flushes.flat().filter((each) => each.name === name).length,
  };
}

const m = (n: number, attempt = 1) => sqsRecord({ messageId: `m${n}`, attempt });
const large = (n: number, attempt = 1) => sqsRecord({ messageId: `m${n}`, body: "x".repeat(100_000), attempt });

describe("deliver in replay: several connections of a session", () => {
  it("posts the same frames to each of them, and counts each message once", async () => {
    const { run, posted, log, counted } = setUp();
    expect(await run(m(1), m(2))).to.deep.equal([]);
    expect(posted()).to.have.members(["c1: 1,2", "c2: 1,2"]);
    expect(log.lines[0]).to.deep.include({ event: "delivered", connectionIds: ["c2", "c1"] });
    expect(counted("Delivered")).to.equal(2);
  });

  it("costs one POST more for each frame and connection, and nothing else", async () => {
    const [one, two] = [setUp([row]), setUp()];
    for (const relay of [one, two]) await relay.run(m(1), m(2));
    expect(two.connections.posts).to.have.lengthOf(2 * one.connections.posts.length);
    expect(two.history.calls).to.deep.equal(one.history.calls);
    expect(two.sessions.calls).to.deep.equal(["readAll"]);
    expect([...two.partials.calls, ...two.connections.asked, ...two.raw.posts]).to.deep.equal([]);
  });

  it("delays no other where one never answers", async () => {
    const { run, connections, posted, outcomes } = setUp();
    let release: (outcome: PostOutcome) => void = () => expect.fail("c1 was not posted to");
    let frames = 0;
    // c1 answers only once c2 has the last frame: one after the other, this would never end.
    connections.onPost = (connectionId) => {
      if (connectionId === "c1") return new Promise((resolve) => (release = resolve));
      if (++frames === 3) release({ result: "timeout" });
      return Promise.resolve({ result: "delivered" });
    };
    expect(await run(large(1), large(2), large(3))).to.deep.equal(["m1", "m2", "m3"]);
    expect(posted().sort()).to.deep.equal(["c1: 1", "c2: 1", "c2: 2", "c2: 3"]);
    expect(outcomes()).to.deep.equal({
      m1: "failed: timeout",
      m2: "failed: held-back: timeout",
      m3: "failed: held-back: timeout",
    });
  });

  it("posts a message again only to those that have not taken it", async () => {
    const { run, connections, posted, partials, counted } = setUp();
    connections.answers.set("c1", "throttled");
    expect(await run(m(1), m(2))).to.deep.equal(["m1", "m2"]);
    expect(partials.calls).to.deep.equal(["add m1 c2", "add m2 c2"]);
    connections.answers.clear();
    connections.posts.length = 0;
    expect(await run(m(3), m(1, 2), m(2, 2))).to.deep.equal([]);
    expect(posted()).to.have.members(["c1: 1,2,3", "c2: 3"]);
    expect(counted("Delivered")).to.equal(3);
  });

  it("never dead-letters what one has taken: the last attempt says which have not", async () => {
    const { run, connections, queue, log, counted, published } = setUp();
    connections.answers.set("c1", "throttled");
    for (let attempt = 1; attempt < 5; attempt++) expect(await run(m(1, attempt))).to.deep.equal(["m1"]);
    expect(await run(m(1, 5))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
    expect(published).to.deep.equal([]);
    expect(log.lines.at(-1)).to.deep.include({
      level: "warn",
      event: "delivered, but not to all connections",
      reason: "throttled",
      missedBy: ["c1"],
    });
    expect(counted("Delivered")).to.equal(1);
  });

  it("is done with a message without a connection that is gone", async () => {
    const { run, connections, sessions, outcomes, posted } = setUp();
    connections.answers.set("c1", "gone");
    expect(await run(large(1), large(2))).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "delivered", m2: "delivered" });
    expect(posted().sort()).to.deep.equal(["c1: 1", "c2: 1", "c2: 2"]);
    expect(sessions.connectionIds()).to.deep.equal(["c2"]);
  });

  it("retries for a young one that is called gone", async () => {
    const { run, connections, outcomes, partials } = setUp([row, { ...c2, connectedAt: now - 1 }]);
    connections.answers.set("c2", "gone");
    expect(await run(m(1))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: connection-gone" });
    expect(partials.calls).to.deep.equal(["add m1 c1"]);
  });

  for (const [over, reason] of [
    [{ expirationDate: now / 1000 }, "session-expired"],
    [{ tokenExpiresAt: now / 1000 }, "token-expired"],
  ] as const) {
    it(`closes one that is over, ${reason}, and the others get their messages`, async () => {
      const { run, connections, posted } = setUp([row, { ...c2, ...over }]);
      expect(await run(m(1))).to.deep.equal([]);
      expect(posted()).to.deep.equal(["c1: 1"]);
      expect(connections.closed).to.deep.equal(["c2"]);
    });
  }

  it("stores a message where only superseded ones are left", async () => {
    const { run, sessions, outcomes } = setUp([row]);
    sessions.put(c2, "newest");
    await sessions.removeConnection(row, "c2");
    expect(await run(m(1))).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: no-session" });
  });

  it("tells each of them the number of a message that has expired", async () => {
    const { run, history, clock, posted } = setUp();
    history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
    const expiresAt = new Date(now + 10).toISOString();
    expect(await run(sqsRecord({ attributes: { expiresAt } }))).to.deep.equal([]);
    expect(posted()).to.have.members(["c1: 1", "c2: 1"]);
  });
});

describe("deliver in replay: raw connections of a session", () => {
  it("are given the entries as they are stored, and the row", async () => {
    const { run, raw, connections, outcomes, log } = setUp([r1, r2]);
    expect(await run(m(1), m(2))).to.deep.equal([]);
    expect(raw.posts).to.have.lengthOf(1);
    const [post] = raw.posts;
    expect(post?.connections.map(({ connectionId }) => connectionId)).to.deep.equal(["r2", "r1"]);
    expect(post?.entries.map(({ entry, takenBy }) => [entry.seq, entry.body, takenBy])).to.deep.equal([
      [1, "body of m1", undefined],
      [2, "body of m2", undefined],
    ]);
    expect(post?.row.connections).to.have.lengthOf(2);
    expect(post?.presentEpoch).to.equal("e1");
    expect(connections.posts).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "delivered", m2: "delivered" });
    expect(log.lines[0]).to.deep.include({ event: "delivered", connectionIds: ["r2", "r1"] });
  });

  it("are posted to while the others are", async () => {
    let release: (outcome: PostOutcome) => void = () => expect.fail("c1 was not posted to");
    // c1 answers only once r1 was posted to: one after the other, this would never end.
    const relay = setUpWith(undefined, {
      connectionsOfSession: "all",
      postToRaw: (post) => (setImmediate(() => release({ result: "delivered" })), rawClients().postToRaw(post)),
    });
    relay.sessions.put(r1, "all");
    relay.connections.onPost = () => new Promise((resolve) => (release = resolve));
    expect(await relay.run(m(1))).to.deep.equal([]);
    expect(relay.outcomes()).to.deep.equal({ m1: "delivered" });
  });

  it("are not asked about messages that have expired", async () => {
    const { run, history, clock, raw, outcomes, connections } = setUp([r1]);
    history.afterCall = (name) => Promise.resolve(void (name === "put" && (clock.now += 10)));
    const expiresAt = new Date(now + 10).toISOString();
    expect(await run(sqsRecord({ attributes: { expiresAt } }))).to.deep.equal([]);
    expect([...raw.posts, ...connections.posts]).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: expired" });
  });

  it("are recorded before the message is retried for another, and posted to only once", async () => {
    const { run, raw, partials } = setUp([row, r1, r2]);
    raw.answers.set("r2", { kind: "failed", reason: "throttled" });
    expect(await run(m(1))).to.deep.equal(["m1"]);
    expect(partials.calls[0]).to.equal("add m1 r1");
    raw.answers.clear();
    expect(await run(m(1, 2))).to.deep.equal([]);
    expect([...(raw.posts[1]?.entries[0]?.takenBy ?? [])]).to.have.members(["c1", "r1"]);
  });

  it("are not told of connections that took it, where none of these is raw: their own cursor knows better", async () => {
    const { run, raw } = setUp([row, r1]);
    raw.answers.set("r1", { kind: "failed", reason: "throttled" });
    expect(await run(m(1))).to.deep.equal(["m1"]);
    expect(await run(m(1, 2))).to.deep.equal(["m1"]);
    expect(raw.posts[1]?.entries.map(({ takenBy }) => takenBy)).to.deep.equal([undefined]);
  });

  it("are recorded as having taken it before the message may be received again", async () => {
    const { run, raw, partials, queue } = setUp([row, r1]);
    raw.answers.set("r1", { kind: "failed", reason: "throttled" });
    const { changeVisibility } = queue;
    let before: readonly string[] = [];
    queue.changeVisibility = async (...args) => {
      before = [...partials.calls];
      await changeVisibility.apply(queue, args);
    };
    expect(await run(m(1))).to.deep.equal(["m1"]);
    expect(before).to.deep.equal(["add m1 c1"]);
  });

  it("can be asked again who took a message: the queue may deliver it twice at the same time", async () => {
    const { run, raw, partials } = setUp([row, r1, r2]);
    await run(m(1), m(2), m(3));
    partials.takenBy.set("m1", new Set(["c1"])).set("m2", new Set(["c1", "r1"]));
    const [post] = raw.posts;
    const entries = post?.entries.map(({ entry }) => entry) ?? [];
    expect(await post?.readTakenBy(entries)).to.deep.equal(new Map([[2, new Set(["c1", "r1"])]]));
    expect(partials.calls).to.deep.equal(["read m1,m2,m3"]);
  });

  it("are not asked for where a session has one connection", async () => {
    const raw = rawClients();
    const { run, partials, sessions } = setUpWith(undefined, { postToRaw: raw.postToRaw });
    sessions.sessionRows.clear();
    sessions.put(r1);
    await run(m(1));
    const entries = raw.posts[0]?.entries.map(({ entry }) => entry) ?? [];
    expect(await raw.posts[0]?.readTakenBy(entries)).to.deep.equal(new Map());
    expect(partials.calls).to.deep.equal([]);
  });

  it("are waited for as long as there is time at the last attempt of one of the messages", async () => {
    const { run, raw } = setUp([r1]);
    await run(m(1, 4));
    await run(m(2), m(3, 5));
    expect(raw.posts.map(({ isLast }) => isLast)).to.deep.equal([false, true]);
  });

  it("keep the session's cursor where it is if their record cannot be written", async () => {
    const { run, raw, partials, outcomes, log } = setUp([r1, r2]);
    raw.answers.set("r2", { kind: "failed", reason: "throttled" });
    partials.failing.add("add");
    expect(await run(m(1))).to.deep.equal(["m1"]);
    // As `postToRaw` has rejected.
    expect(outcomes()).to.deep.equal({ m1: "failed: internal-error" });
    expect(log.lines[0]).to.include({ level: "error", event: "messages not handled" });
  });

  it("are never a reason for a dead letter while another invocation posts to them: the message is stored", async () => {
    const { run, raw, outcomes, queue, counted } = setUp([r1]);
    raw.answers.set("r1", { kind: "failed", reason: "raw-busy" });
    expect(await run(m(1, 4))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: raw-busy" });
    expect(await run(m(1, 5))).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: raw-busy" });
    expect(queue.deadLetters).to.deep.equal([]);
    expect([counted("Stored"), counted("Delivered")]).to.deep.equal([1, 0]);
  });

  it("are no reason for a dead letter where another one has the message", async () => {
    const { run, raw, queue, counted } = setUp([row, r1]);
    raw.answers.set("r1", { kind: "failed", reason: "raw-busy" });
    expect(await run(m(1, 5))).to.deep.equal([]);
    expect(queue.deadLetters).to.deep.equal([]);
    expect(counted("Delivered")).to.equal(1);
  });

  it("do not keep a message from its dead letter where another one fails for good", async () => {
    const { run, raw, connections, reasons } = setUp([row, r1]);
    raw.answers.set("r1", { kind: "failed", reason: "raw-busy" });
    connections.answers.set("c1", "forbidden");
    expect(await run(m(1, 5))).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["forbidden"]);
  });

  for (const [outcome, expected] of [
    [{ kind: "ended", reason: "connection-gone" }, "stored: connection-gone"],
    [{ kind: "late", reason: "expired" }, "stored: expired"],
    [{ kind: "refused", reason: "payload-too-large" }, "failed: payload-too-large"],
    [{ kind: "failed", reason: "timeout" }, "failed: timeout"],
  ] as [RawOutcomes[number], string][]) {
    it(`are combined: ${outcome.kind}`, async () => {
      const { run, raw, outcomes } = setUp([r1]);
      raw.answers.set("r1", outcome);
      await run(m(1));
      expect(outcomes()).to.deep.equal({ m1: expected });
    });
  }

  it("fail alone where posting to them throws", async () => {
    const relay = setUpWith(undefined, {
      connectionsOfSession: "all",
      postToRaw: () => Promise.reject(new Error("a fault of ours")),
    });
    relay.sessions.put(r1, "all");
    expect(await relay.run(m(1))).to.deep.equal(["m1"]);
    expect(relay.outcomes()).to.deep.equal({ m1: "failed: internal-error" });
    expect(relay.partials.calls).to.deep.equal(["add m1 c1"]);
  });

  it("are closed where the relay refuses raw clients", async () => {
    const relay = setUpWith(undefined, { connectionsOfSession: "all" });
    relay.sessions.put(r1, "all");
    expect(await relay.run(m(1))).to.deep.equal([]);
    expect(relay.connections.closed).to.deep.equal(["r1"]);
    expect(relay.posted()).to.deep.equal(["c1: 1"]);
  });
});
