import { expect } from "chai";
import { key, now, retentionMs, segmentsOf } from "../history/segments";
import type { Entry } from "../../../handlers/history/history";
import { protocolConnection, rawConnection, rawSetUp } from "./rawSetUp";

const at = (seq: number, epoch = "e1") => ({ epoch, seq });

describe("the raw poster", () => {
  it("posts bodies as they were published, and moves the session's cursor over them", async () => {
    const { store, post, posted, cursor, history } = rawSetUp();
    store(1, 2);
    expect(await post([1, 2])).to.deep.equal({ r1: "accepted, accepted" });
    expect(posted()).to.deep.equal(["r1: m1", "r1: m2"]);
    expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(2), acknowledged: at(2) });
    expect(history.calls).to.deep.equal(["leaseRaw", "releaseRaw"]);
    expect(history.log(key).lease).to.equal(undefined);
  });

  it("posts what was missed before a message first", async () => {
    const { store, post, posted, cursor } = rawSetUp();
    store(1, 4);
    expect(await post([4])).to.deep.equal({ r1: "accepted" });
    expect(posted()).to.deep.equal(["r1: m1", "r1: m2", "r1: m3", "r1: m4"]);
    expect(cursor().accepted).to.deep.equal(at(4));
  });

  it("does not post what is at or before the cursor, which counts as accepted", async () => {
    const { store, post, posted, cursor } = rawSetUp();
    store(1, 3);
    await post([2]);
    expect(await post([1, 3])).to.deep.equal({ r1: "accepted, accepted" });
    expect(posted()).to.deep.equal(["r1: m1", "r1: m2", "r1: m3"]);
    expect(await post([2])).to.deep.equal({ r1: "accepted" });
    expect(posted()).to.have.lengthOf(3);
    expect(cursor().accepted).to.deep.equal(at(3));
  });

  for (const [what, move] of [
    ["acknowledged", (history) => history.acknowledge(key, at(2))],
    ["settled", (history) => history.settle(key, { settled: at(2) })],
  ] as [string, (history: ReturnType<typeof rawSetUp>["history"]) => Promise<unknown>][]) {
    it(`starts after what is ${what}`, async () => {
      const { store, post, posted, history } = rawSetUp();
      store(1, 3, { storedAtMs: now - 1_000_000 });
      await move(history);
      expect(await post([3])).to.deep.equal({ r1: "accepted" });
      expect(posted()).to.deep.equal(["r1: m3"]);
    });
  }

  it("posts what a client has acknowledged if the raw connection is older than that", async () => {
    const { store, post, posted, history, cursor } = rawSetUp(rawConnection(), protocolConnection());
    store(1, 1, { storedAtMs: now - 1_000_000 });
    store(2, 3);
    await history.acknowledge(key, at(2));
    expect(await post([3])).to.deep.equal({ r1: "accepted" });
    expect(posted()).to.deep.equal(["r1: m2", "r1: m3"]);
    expect(cursor()).to.deep.equal({ oldestSeq: 1, acknowledged: at(2), accepted: at(3) });
  });

  it("goes by the log's epoch where a copy of an earlier one is at hand", async () => {
    const { store, post, posted, history } = rawSetUp();
    store(1, 2);
    store(3, 4, { epoch: "e2" });
    await history.leaseRaw(key, { owner: "x", untilMs: now + 1 }, now);
    await history.releaseRaw(key, "x", { accepted: at(4, "e2") });
    expect(await post([2], { presentEpoch: "e1" })).to.deep.equal({ r1: "accepted" });
    expect(posted()).to.deep.equal([]);
  });

  it("posts everything that is available once the log has another epoch", async () => {
    const { store, post, posted, history, cursor } = rawSetUp();
    await history.acknowledge(key, at(9));
    store(1, 2, { epoch: "e2" });
    expect(await post([2], { presentEpoch: "e2" })).to.deep.equal({ r1: "accepted" });
    expect(posted()).to.deep.equal(["r1: m1", "r1: m2"]);
    expect(cursor().acknowledged).to.deep.equal(at(2, "e2"));
  });

  it("goes on after numbers that were deleted", async () => {
    const { store, post, posted, cursor } = rawSetUp();
    store(5, 6);
    store(9);
    expect(await post([9])).to.deep.equal({ r1: "accepted" });
    expect(posted()).to.deep.equal(["r1: m5", "r1: m6", "r1: m9"]);
    expect(cursor().accepted).to.deep.equal(at(9));
  });

  it("acknowledges nothing while a connection with the protocol is live", async () => {
    const { store, post, cursor } = rawSetUp(rawConnection(), protocolConnection());
    store(1);
    expect(await post([1])).to.deep.equal({ r1: "accepted" });
    expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(1) });
  });

  it("moves its own cursor where a client has acknowledged further meanwhile", async () => {
    const { store, post, cursor, history, log } = rawSetUp();
    store(1, 2);
    history.beforeCall = async (name) => {
      if (name === "releaseRaw") history.log(key).cursor = { oldestSeq: 1, acknowledged: at(2) };
      await Promise.resolve();
    };
    expect(await post([1])).to.deep.equal({ r1: "accepted" });
    expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(1), acknowledged: at(2) });
    expect(history.log(key).lease).to.equal(undefined);
    expect(log.lines).to.deep.equal([]);
  });

  it("posts to several connections in parallel: a slow or throttled one delays no other", async () => {
    const { store, post, posted, connections, cursor } = rawSetUp(
      rawConnection("r1"),
      rawConnection("r2"),
      rawConnection("r3"),
    );
    store(1, 2);
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    connections.onPost = async (connectionId, body) => {
      if (connectionId === "r2") return { result: "throttled" };
      if (connectionId === "r3") await slow;
      if (connectionId === "r1" && body === "body of m2") release();
      return { result: "delivered" };
    };
    expect(await post([1, 2])).to.deep.equal({
      r1: "accepted, accepted",
      r2: "failed: throttled, failed: held-back: throttled",
      r3: "accepted, accepted",
    });
    expect(posted().filter((each) => each.startsWith("r2"))).to.deep.equal(["r2: m1"]);
    expect(cursor().accepted).to.deep.equal(at(2));
  });

  it("records a partial delivery of a message at hand before the cursor moves over it", async () => {
    const { store, post, connections, history } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
    store(1, 2);
    connections.onPost = (connectionId, body) =>
      Promise.resolve({ result: connectionId === "r2" && body === "body of m2" ? "throttled" : "delivered" });
    const seen: unknown[] = [];
    const onPartial = async ({ seq }: { seq: number }, acceptedBy: readonly string[]) => {
      seen.push([seq, acceptedBy, history.calls.includes("releaseRaw")]);
      await Promise.resolve();
    };
    await post([1, 2], { onPartial });
    expect(seen).to.deep.equal([[2, ["r1"], false]]);
  });

  it("does not move the cursor over a message whose partial delivery is not recorded", async () => {
    const { store, post, connections, cursor, log } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
    store(1, 2);
    connections.answers.set("r2", "throttled");
    await post([1, 2], { onPartial: ({ seq }) => (seq === 2 ? Promise.reject(new Error("no")) : Promise.resolve()) });
    expect(cursor().accepted).to.deep.equal(at(1));
    expect(log.lines.map(({ level, event, seq }) => [level, event, seq])).to.deep.include([
      "error",
      "raw clients' cursor not moved over a message",
      2,
    ]);
  });

  it("posts a message that is retried to the connections that have not taken it, before the later ones", async () => {
    const { store, post, posted, cursor } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
    store(1, 2);
    await post([1]);
    const before = posted().length;
    expect(await post([1, 2], { takenBy: { 1: ["r1"] } })).to.deep.equal({
      r1: "accepted, accepted",
      r2: "accepted, accepted",
    });
    expect(posted().slice(before).sort()).to.deep.equal(["r1: m2", "r2: m1", "r2: m2"]);
    expect(
      posted()
        .filter((each) => each.startsWith("r2"))
        .slice(-2),
    ).to.deep.equal(["r2: m1", "r2: m2"]);
    expect(cursor().accepted).to.deep.equal(at(2));
  });

  it("keeps the cursor before a message that no connection has accepted", async () => {
    const { store, post, connections, cursor, published, history } = rawSetUp();
    store(1, 3);
    connections.onPost = (_, body) => Promise.resolve({ result: body === "body of m2" ? "throttled" : "delivered" });
    expect(await post([1, 2, 3])).to.deep.equal({ r1: "accepted, failed: throttled, failed: held-back: throttled" });
    expect(cursor().accepted).to.deep.equal(at(1));
    expect(published()).to.deep.equal(["accepted m1"]);
    expect(history.log(key).lease).to.equal(undefined);
  });

  it("keeps the cursor before a message whose connection has ended", async () => {
    const { store, post, connections, cursor, connectionsLeft } = withEnds();
    store(1, 2);
    connections.onPost = (_, body) => Promise.resolve({ result: body === "body of m2" ? "gone" : "delivered" });
    expect(await post([1, 2])).to.deep.equal({ r1: "accepted, ended: connection-gone" });
    expect(cursor().accepted).to.deep.equal(at(1));
    expect(connectionsLeft()).to.deep.equal([]);
  });

  it("does not take a young connection for ended", async () => {
    const { store, post, connections, connectionsLeft } = withEnds(rawConnection("r1", { connectedAt: now - 1_000 }));
    store(1);
    connections.answers.set("r1", "gone");
    expect(await post([1])).to.deep.equal({ r1: "failed: connection-gone" });
    expect(connectionsLeft()).to.deep.equal(["r1"]);
  });

  describe("where a session has other connections", () => {
    const young = rawConnection("r2", { connectedAt: now + 10_000 });

    it("posts only what was stored since a connection began, less five seconds, if a client with the protocol is connected", async () => {
      const { store, post, posted, cursor } = rawSetUp(young, protocolConnection());
      store(1, 1, { storedAtMs: now });
      store(2, 2, { storedAtMs: now + 4_999 });
      store(3, 3, { storedAtMs: now + 5_000 });
      expect(await post([1, 2, 3])).to.deep.equal({ r2: "ended: no-session, ended: no-session, accepted" });
      expect(posted()).to.deep.equal(["r2: m3"]);
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(3), skipped: { epoch: "e1", from: 1, through: 2 } });
    });

    it("posts what was missed to the oldest of several raw connections only", async () => {
      const { store, post, posted } = rawSetUp(rawConnection("r1"), young);
      store(1, 1, { storedAtMs: now - 1_000_000 });
      store(2, 2, { storedAtMs: now + 10_000 });
      expect(await post([2])).to.deep.equal({ r1: "accepted", r2: "accepted" });
      expect(posted().sort()).to.deep.equal(["r1: m1", "r1: m2", "r2: m2"]);
    });

    it("posts everything to a connection that is the only one", async () => {
      const { store, post, posted } = rawSetUp(young);
      store(1, 2, { storedAtMs: now });
      await post([2]);
      expect(posted()).to.deep.equal(["r2: m1", "r2: m2"]);
    });

    it("posts what the oldest does not accept to the next one, and moves on once that is recorded", async () => {
      const { store, post, posted, connections, cursor, partial } = rawSetUp(rawConnection("r1"), young);
      store(1, 1, { storedAtMs: now });
      store(2, 2, { storedAtMs: now + 10_000 });
      connections.answers.set("r1", "throttled");
      expect(await post([1, 2])).to.deep.equal({
        r1: "failed: throttled, failed: held-back: throttled",
        r2: "accepted, accepted",
      });
      expect(posted()).to.deep.equal(["r1: m1", "r2: m1", "r2: m2"]);
      expect(partial).to.deep.equal([
        [1, ["r2"]],
        [2, ["r2"]],
      ]);
      expect(cursor().accepted).to.deep.equal(at(2));
    });

    it("posts what the oldest has missed, and does not accept, to the next one, so that later ones are not repeated", async () => {
      const { store, post, posted, connections, cursor } = rawSetUp(rawConnection("r1"), young);
      store(1, 1, { storedAtMs: now - 1_000_000 });
      store(2, 2, { storedAtMs: now + 10_000 });
      connections.answers.set("r1", "throttled");
      expect(await post([2])).to.deep.equal({ r1: "failed: held-back: throttled", r2: "accepted" });
      expect(posted()).to.deep.equal(["r1: m1", "r2: m1", "r2: m2"]);
      expect(cursor().accepted).to.deep.equal(at(2));
    });

    it("does not move over another invocation's message that one did not take: that one posts it to all of them", async () => {
      const { store, post, posted, connections, cursor, partial } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
      store(1, 2);
      connections.answers.set("r1", "throttled");
      expect(await post([2])).to.deep.equal({ r1: "failed: held-back: throttled", r2: "accepted" });
      expect(posted()).to.have.members(["r1: m1", "r2: m1", "r2: m2"]);
      expect(partial).to.deep.equal([]);
      expect(cursor().accepted).to.equal(undefined);
    });

    it("moves over what is old for all of them, though one accepts nothing", async () => {
      const second = rawConnection("r3", { connectedAt: now + 20_000 });
      const { store, post, connections, posted, cursor } = rawSetUp(protocolConnection(), young, second);
      store(1, 1, { storedAtMs: now });
      store(2, 2, { storedAtMs: now + 20_000 });
      connections.answers.set("r2", "throttled");
      expect(await post([1, 2])).to.deep.equal({
        r2: "ended: no-session, failed: throttled",
        r3: "ended: no-session, accepted",
      });
      expect(posted()).to.deep.equal(["r2: m2", "r3: m2"]);
      expect(cursor().accepted).to.deep.equal(at(2));
    });
  });

  describe("with messages that were skipped while a client with the protocol was connected", () => {
    const young = rawConnection("r1", { connectedAt: now + 10_000 });
    const skipped = (from: number, through: number, epoch = "e1") => ({ epoch, from, through });

    /** Messages 1 to 3 are older than the raw connection, which has 4; the other client leaves. */
    async function afterSkip() {
      const setUp = rawSetUp(young, protocolConnection());
      setUp.store(1, 3);
      setUp.store(4, 5, { storedAtMs: now + 10_000 });
      await setUp.post([4]);
      await setUp.sessions.removeConnection(key, "p1");
      return setUp;
    }

    it("posts these before anything else once it is gone, and acknowledges then", async () => {
      const { post, posted, published, cursor, metrics } = await afterSkip();
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(4), skipped: skipped(1, 3) });
      expect(published()).to.deep.equal(["accepted m4"]);
      expect(await post([5])).to.deep.equal({ r1: "accepted" });
      expect(posted().slice(1)).to.deep.equal(["r1: m1", "r1: m2", "r1: m3", "r1: m5"]);
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(5), acknowledged: at(5) });
      expect([...new Set(published())].sort()).to.deep.equal([1, 2, 3, 4, 5].map((n) => `accepted m${n}`));
      metrics.flush();
      expect(metrics.flushes.flat().map(({ value }) => value)).to.deep.equal([4, 1]);
    });

    it("posts none that it has acknowledged", async () => {
      const { post, posted, history, cursor } = await afterSkip();
      await history.acknowledge(key, at(2));
      await post([5]);
      expect(posted().slice(1)).to.deep.equal(["r1: m3", "r1: m5"]);
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(5), acknowledged: at(5) });
    });

    it("keeps them, and acknowledges nothing, until a raw connection has accepted them", async () => {
      const { post, posted, connections, cursor } = await afterSkip();
      connections.onPost = (_, body) => Promise.resolve({ result: body === "body of m2" ? "throttled" : "delivered" });
      expect(await post([5])).to.deep.equal({ r1: "failed: held-back: throttled" });
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(4), skipped: skipped(2, 3) });
      connections.onPost = undefined;
      await post([5]);
      expect(posted().slice(1)).to.deep.equal(["r1: m1", "r1: m2", "r1: m2", "r1: m3", "r1: m5"]);
    });

    it("posts one that is in hand again as one of them", async () => {
      const { post, posted } = await afterSkip();
      expect(await post([2])).to.deep.equal({ r1: "accepted" });
      expect(posted().slice(1)).to.deep.equal(["r1: m1", "r1: m2", "r1: m3"]);
    });

    it("reports those that have expired", async () => {
      const { post, posted, published, clock } = await afterSkip();
      clock.now = now + retentionMs;
      await post([5]);
      expect(posted().slice(1)).to.deep.equal(["r1: m5"]);
      expect(published().slice(1, 4)).to.deep.equal(["expired m1", "expired m2", "expired m3"]);
    });

    it("adds those that are skipped later", async () => {
      const { store, post, sessions, cursor } = await afterSkip();
      await sessions.removeConnection(key, "r1");
      sessions.put(protocolConnection("p2"), "all");
      sessions.put(rawConnection("r2", { connectedAt: now + 60_000 }), "all");
      store(6, 6, { storedAtMs: now + 60_000 });
      await post([6]);
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(6), skipped: skipped(1, 5) });
    });

    it("forgets those of an epoch that is over: everything available is posted", async () => {
      const { store, post, posted, cursor } = await afterSkip();
      store(6, 6, { epoch: "e2" });
      await post([6], { presentEpoch: "e2" });
      expect(posted().slice(1)).to.deep.equal([1, 2, 3, 4, 5, 6].map((n) => `r1: m${n}`));
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(6, "e2"), acknowledged: at(6, "e2") });
    });

    it("posts them page by page", async () => {
      const { store, post, posted, sessions, cursor } = rawSetUp(young, protocolConnection());
      store(1, 60);
      store(61, 62, { storedAtMs: now + 10_000 });
      await post([61]);
      await post([61]);
      await sessions.removeConnection(key, "p1");
      expect(await post([62])).to.deep.equal({ r1: "accepted" });
      expect(posted()).to.deep.equal([61, ...Array.from({ length: 60 }, (_, i) => i + 1), 62].map((n) => `r1: m${n}`));
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(62), acknowledged: at(62) });
    });
  });

  describe("with messages that have expired", () => {
    it("skips and reports them, with a receipt and a dead letter of their own", async () => {
      const { store, post, posted, published, cursor, deadLetters, history } = rawSetUp();
      store(1, 1, { expiresAtMs: now });
      store(2, 2);
      expect(await post([2])).to.deep.equal({ r1: "accepted" });
      expect(posted()).to.deep.equal(["r1: m2"]);
      expect(published()).to.deep.equal(["expired m1", "accepted m2"]);
      expect(deadLetters.deadLetters.map(({ sqsMessageId }) => sqsMessageId)).to.deep.equal(["m1"]);
      expect(history.segments(key)[0]?.reported).to.deep.equal([0]);
      expect(cursor().acknowledged).to.deep.equal(at(2));
    });

    it("skips what is past the retention", async () => {
      const { store, post, posted, published } = rawSetUp();
      store(1, 1, { storedAtMs: now - retentionMs });
      store(2);
      await post([2]);
      expect(posted()).to.deep.equal(["r1: m2"]);
      expect(published()).to.deep.equal(["expired m1", "accepted m2"]);
    });

    it("does not post one that expires while those before it are posted", async () => {
      const { store, post, posted, clock, connections } = rawSetUp();
      store(1);
      store(2, 2, { expiresAtMs: now + 10 });
      connections.onPost = async () => {
        clock.now += 20;
        return await Promise.resolve({ result: "delivered" });
      };
      expect(await post([1, 2])).to.deep.equal({ r1: "accepted, late: expired" });
      expect(posted()).to.deep.equal(["r1: m1"]);
    });

    it("moves the cursor over them, though a connection accepts nothing", async () => {
      const { store, post, cursor, connections, published } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
      store(1);
      store(2, 2, { expiresAtMs: now });
      store(3);
      connections.answers.set("r2", "throttled");
      await post([1, 2, 3]);
      expect(cursor().accepted).to.deep.equal(at(3));
      expect(published()).to.deep.equal(["expired m2", "accepted m1", "accepted m3"]);
    });

    it("keeps the cursor before one that cannot be reported", async () => {
      const { store, post, cursor, deadLetters } = rawSetUp();
      store(1);
      store(2, 2, { expiresAtMs: now });
      store(3);
      deadLetters.deadLetterFails = true;
      await post([1, 2, 3]);
      expect(cursor().accepted).to.deep.equal(at(1));
    });

    it("reports none twice", async () => {
      const { store, post, published } = rawSetUp();
      store(1, 1, { expiresAtMs: now, reported: [0] });
      store(2);
      await post([2]);
      expect(published()).to.deep.equal(["accepted m2"]);
    });
  });

  describe("with receipts", () => {
    it("publishes them before the cursor moves", async () => {
      const { store, post, published, history } = rawSetUp();
      store(1, 2);
      let before: readonly string[] = [];
      history.beforeCall = async (name) => {
        if (name === "releaseRaw") before = published();
        await Promise.resolve();
      };
      await post([2]);
      expect(before).to.deep.equal(["accepted m1", "accepted m2"]);
    });

    it("moves the clients' cursor without them, and publishes them when they can be acknowledged", async () => {
      const { store, post, posted, receipts, published, cursor, log } = rawSetUp();
      store(1, 2);
      receipts.fails = true;
      expect(await post([1])).to.deep.equal({ r1: "accepted" });
      expect(cursor()).to.deep.equal({ oldestSeq: 1, accepted: at(1) });
      expect(log.lines.map(({ level, event }) => [level, event])).to.deep.equal([
        ["error", "receipts of accepted messages not published"],
      ]);
      receipts.fails = false;
      await post([2]);
      expect(published()).to.deep.equal(["accepted m1", "accepted m2"]);
      expect(posted()).to.deep.equal(["r1: m1", "r1: m2"]);
      expect(cursor().acknowledged).to.deep.equal(at(2));
    });

    it("counts what is acknowledged", async () => {
      const { store, post, metrics } = rawSetUp();
      store(1, 3);
      await post([2]);
      await post([3]);
      metrics.flush();
      expect(metrics.flushes.flat().map(({ name, value }) => [name, value])).to.deep.equal([
        ["Acknowledged", 2],
        ["Acknowledged", 1],
      ]);
    });
  });

  describe("while another invocation posts", () => {
    it("waits for ten seconds, and fails all messages as raw-busy", async () => {
      const { store, post, posted, pauses, history } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
      store(1, 2);
      await history.leaseRaw(key, { owner: "other", untilMs: now + 30_000 }, now);
      const busy = "failed: raw-busy, failed: raw-busy";
      expect(await post([1, 2])).to.deep.equal({ r1: busy, r2: busy });
      expect(pauses.slice(0, 6)).to.deep.equal([100, 200, 300, 400, 500, 500]);
      expect(pauses.reduce((sum, ms) => sum + ms)).to.equal(10_000);
      expect(posted()).to.deep.equal([]);
    });

    it("waits until its time is up at the last attempt, and does not call it a timeout", async () => {
      const { store, post, dependencies, history } = rawSetUp();
      store(1);
      await history.leaseRaw(key, { owner: "other", untilMs: now + 30_000 }, now);
      const controller = new AbortController();
      let waitedMs = 0;
      dependencies.pause = (ms) => {
        waitedMs += ms;
        if (waitedMs < 20_000) return Promise.resolve();
        controller.abort();
        return Promise.reject(new Error("aborted"));
      };
      expect(await post([1], { isLast: true, signal: controller.signal })).to.deep.equal({ r1: "failed: raw-busy" });
      expect(waitedMs).to.equal(20_000);
    });

    it("posts what it has in hand, and another invocation too, to those that did not take it there", async () => {
      const { store, post, posted, history, cursor } = rawSetUp(rawConnection("r1"), rawConnection("r2"));
      store(1, 2);
      await history.leaseRaw(key, { owner: "other", untilMs: now + 30_000 }, now);
      await history.releaseRaw(key, "other", { accepted: at(2) });
      const asked: number[] = [];
      const readTakenBy = async (entries: readonly Entry[]) => {
        asked.push(...entries.map(({ seq }) => seq));
        return await Promise.resolve(new Map([[2, new Set(["r1"])]]));
      };
      expect(await post([1, 2], { readTakenBy })).to.deep.equal({ r1: "accepted, accepted", r2: "accepted, accepted" });
      expect(asked).to.deep.equal([1, 2]);
      expect(posted()).to.deep.equal(["r2: m2"]);
      expect(cursor().accepted).to.deep.equal(at(2));
    });

    it("posts nothing, and gives the lease back, if it cannot be known who took it", async () => {
      const { store, post, posted, history } = rawSetUp();
      store(1);
      await post([1]);
      const readTakenBy = () => Promise.reject(new Error("no"));
      expect(await post([1], { readTakenBy })).to.deep.equal({ r1: "failed: history-unavailable" });
      expect(posted()).to.have.lengthOf(1);
      expect(history.log(key).lease).to.equal(undefined);
    });

    it("goes on where it stopped", async () => {
      const { store, dependencies, post, posted, history } = rawSetUp();
      store(1, 3);
      await history.leaseRaw(key, { owner: "other", untilMs: now + 30_000 }, now);
      dependencies.pause = async () => void (await history.releaseRaw(key, "other", { accepted: at(2) }));
      expect(await post([2, 3])).to.deep.equal({ r1: "accepted, accepted" });
      expect(posted()).to.deep.equal(["r1: m3"]);
    });

    it("takes over once the lease has ended, and moves nothing for the one that has lost it", async () => {
      const { store, post, posted, history, connections, clock, cursor, log } = rawSetUp();
      store(1, 2);
      let second: Promise<unknown> | undefined;
      connections.onPost = async () => {
        if (!second) {
          clock.now += 30_000;
          second = post([2]);
          await second;
        }
        return { result: "delivered" };
      };
      expect(await post([1])).to.deep.equal({ r1: "accepted" });
      expect(posted()).to.deep.equal(["r1: m1", "r1: m1", "r1: m2"]);
      expect(cursor().accepted).to.deep.equal(at(2));
      expect(log.lines.map(({ level, event }) => [level, event])).to.deep.equal([
        ["warn", "lease lost: messages may be posted to raw clients again"],
      ]);
      expect(history.log(key).lease).to.equal(undefined);
    });
  });

  describe("with more than one turn posts", () => {
    it("saves the cursor page by page", async () => {
      const { history, post, posted, cursor } = rawSetUp();
      for (const segment of segmentsOf(1, 120)) history.log(key).segments.set(segment.first, segment);
      expect(await post([120])).to.deep.equal({ r1: "accepted" });
      expect(posted()).to.deep.equal(Array.from({ length: 120 }, (_, i) => `r1: m${i + 1}`));
      expect(history.calls.filter((call) => call === "releaseRaw")).to.have.lengthOf(3);
      expect(cursor().accepted).to.deep.equal(at(120));
    });

    it("begins no post so late that its lease could end: it saves the cursor and goes on under another one", async () => {
      const { store, history, post, posted, connections, clock, log } = rawSetUp();
      store(1, 12);
      connections.onPost = async () => {
        clock.now += 3_000;
        expect(history.log(key).lease?.untilMs).to.be.greaterThan(clock.now + 10_000);
        return await Promise.resolve({ result: "delivered" });
      };
      expect(await post([12])).to.deep.equal({ r1: "accepted" });
      expect(posted()).to.have.lengthOf(12);
      expect(history.calls.filter((call) => call === "releaseRaw")).to.have.lengthOf(4);
      expect(log.lines).to.deep.equal([]);
    });

    it("stops at a connection that is no longer live", async () => {
      const { history, sessions, post, posted, cursor } = rawSetUp();
      for (const segment of segmentsOf(1, 120)) history.log(key).segments.set(segment.first, segment);
      sessions.beforeRead = () => sessions.put(rawConnection("r9", { connectedAt: now }));
      expect(await post([120])).to.deep.equal({ r1: "ended: no-session" });
      expect(posted()).to.have.lengthOf(51);
      expect(cursor().accepted).to.deep.equal(at(51));
    });

    it("stops when its time is up, and saves how far it came", async () => {
      const { store, post, connections, cursor, history } = rawSetUp();
      store(1, 3);
      const controller = new AbortController();
      connections.onPost = async () => {
        controller.abort();
        return await Promise.resolve({ result: "delivered" });
      };
      expect(await post([1, 2, 3], { signal: controller.signal })).to.deep.equal({
        r1: "accepted, failed: not-reached, failed: not-reached",
      });
      expect(cursor().accepted).to.deep.equal(at(1));
      expect(history.log(key).lease).to.equal(undefined);
    });
  });

  for (const call of ["leaseRaw", "readBack", "readOn", "releaseRaw"]) {
    it(`fails what it has not posted where ${call} fails, and gives the lease back if it can`, async () => {
      const { store, post, history, log } = rawSetUp();
      store(1, 4);
      await history.acknowledge(key, at(1));
      history.beforeCall = (name) => (name === call ? Promise.reject(new Error(`${name} fails`)) : Promise.resolve());
      const accepted = call === "releaseRaw";
      expect(await post([4])).to.deep.equal({ r1: accepted ? "accepted" : "failed: history-unavailable" });
      expect(history.log(key).lease === undefined).to.equal(!accepted);
      expect(log.lines.map(({ level, event, errorMessage }) => [level, event, errorMessage])).to.deep.include([
        "error",
        "messages not posted to raw clients",
        `${call} fails`,
      ]);
    });
  }
});

function withEnds(...given: Parameters<typeof rawSetUp>) {
  const setUp = rawSetUp(...given);
  return { ...setUp, connectionsLeft: () => setUp.sessions.connectionIds() };
}
