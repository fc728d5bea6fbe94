import { expect } from "chai";
import { METRICS } from "../../../handlers/metrics";
import { MAX_PAYLOAD_BYTES } from "../../../protocol";
import { callDepths, store, expired } from "./frameSetUp";
import { at, messageOf, range, setUp } from "./resumeSetUp";
import { key, now, segmentOf, segmentsOf } from "../history/segments";

describe("resume", () => {
  it("sends hello, the result and the messages after the cursor in one frame", async () => {
    const { ask, history, posted, metrics, log } = setUp();
    await store(history, ...segmentsOf(1, 5));
    await history.acknowledge(key, at(2));
    expect(await ask({ cursor: at(2) })).to.deep.equal({ statusCode: 200 });
    expect(posted()).to.deep.equal([
      [
        { type: "hello", epoch: "e1", oldest: 1, newest: 5 },
        { type: "resumed", recovered: true, first: 3, through: 5 },
        ...range(3, 5).map(messageOf),
      ],
    ]);
    expect(metrics.flushes).to.deep.equal([[{ name: METRICS.resumed, value: 1, reason: "recovered" }]]);
    expect(log.lines).to.deep.equal([
      {
        level: "info",
        event: "resumed",
        connectionId: "c1",
        requestId: "r1",
        ...key,
        result: "recovered",
        first: 3,
        through: 5,
        newest: 5,
        sent: 3,
      },
    ]);
  });

  it("sends what was not acknowledged where there is no cursor", async () => {
    const { ask, history, envelopes } = setUp();
    await store(history, ...segmentsOf(1, 5));
    await history.acknowledge(key, at(3));
    await ask();
    expect(envelopes().slice(1)).to.deep.equal([
      { type: "resumed", recovered: true, first: 4, through: 5 },
      ...range(4, 5).map(messageOf),
    ]);
  });

  it("sends everything that is there where the oldest is asked for", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, ...segmentsOf(1, 2, { storedAtMs: expired, isSealed: true }), ...segmentsOf(3, 5));
    await history.acknowledge(key, at(5));
    await ask({ from: "oldest" });
    expect(envelopes()[0]).to.deep.equal({ type: "hello", epoch: "e1", oldest: 3, newest: 5 });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 3, through: 5 });
    expect(seqs()).to.deep.equal([3, 4, 5]);
  });

  it("says so where nothing was missed, and where there never was anything", async () => {
    const { ask, history, posted, connections } = setUp();
    await ask();
    expect(posted()).to.deep.equal([
      [
        { type: "hello", oldest: 1, newest: 0 },
        { type: "resumed", recovered: true, first: 1, through: 0 },
      ],
    ]);
    connections.posts.length = 0;
    await store(history, segmentOf(1));
    await ask({ cursor: at(1) });
    expect(posted()).to.deep.equal([
      [
        { type: "hello", epoch: "e1", oldest: 1, newest: 1 },
        { type: "resumed", recovered: true, first: 2, through: 1 },
      ],
    ]);
  });

  for (const [lost, cursor] of [
    ["expired", at(1)],
    ["epoch", at(4, "d")],
    ["ahead", at(6)],
  ] as const) {
    it(`sends everything available where the cursor does not hold: ${lost}`, async () => {
      const { ask, history, envelopes, seqs, metrics } = setUp();
      await store(history, ...segmentsOf(1, 2, { storedAtMs: expired, isSealed: true }), ...segmentsOf(3, 5));
      await history.acknowledge(key, at(1));
      await ask({ cursor });
      expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: false, lost, first: 3, through: 5 });
      expect(seqs()).to.deep.equal([3, 4, 5]);
      expect(metrics.flushes).to.deep.equal([[{ name: METRICS.resumed, value: 1, reason: lost }]]);
    });
  }

  it("sends nothing of a log that has expired, up to its tail without a body", async () => {
    const { ask, history, posted } = setUp();
    await store(history, segmentOf(9, { storedAtMs: expired, isSealed: true }));
    await ask({ cursor: at(7) });
    expect(posted()).to.deep.equal([
      [
        { type: "hello", epoch: "e1", oldest: 10, newest: 9 },
        { type: "resumed", recovered: false, lost: "expired", first: 10, through: 9 },
      ],
    ]);
  });

  describe("makes these calls one after the other up to the first message", () => {
    const old = [...segmentsOf(1, 100, { storedAtMs: expired }), ...segmentsOf(101, 200)];
    for (const [name, asked, segments, done, expected] of [
      ["with a cursor", { cursor: at(2) }, segmentsOf(1, 200), {}, 3],
      ["with a cursor at the newest", { cursor: at(200) }, segmentsOf(1, 200), {}, 3],
      ["with a cursor in the last segment", { cursor: at(3) }, [segmentOf(1), segmentOf(2, { count: 5 })], {}, 3],
      ["with a cursor in another one", { cursor: at(3) }, [segmentOf(1, { count: 5 }), segmentOf(6)], {}, 4],
      ["with a cursor, after expired messages", { cursor: at(150) }, old, {}, 4],
      ["without one", {}, segmentsOf(1, 200), {}, 4],
      ["without one, after expired messages", {}, old, { acknowledged: at(150) }, 4],
      ["without one, where nothing that is available was acknowledged", {}, old, {}, 5],
      ["from the oldest", { from: "oldest" }, segmentsOf(1, 200), {}, 4],
      ["with a cursor before what has expired", { cursor: at(1) }, old, {}, 5],
    ] as const) {
      it(`${name}: ${expected}`, async () => {
        const parts = setUp();
        await store(parts.history, ...segments);
        parts.history.log(key).cursor = { settled: at(100), oldestSeq: 101, ...done };
        const depths = callDepths(parts);
        await parts.ask(asked);
        expect(parts.envelopes()[1]).to.have.property("type", "resumed");
        expect(depths.find(([call]) => call === "post")).to.deep.equal(["post", expected]);
      });
    }
  });

  it("packs what is more than a frame holds into several, in order", async () => {
    const { ask, history, posted, seqs, connections } = setUp();
    await store(history, ...segmentsOf(1, 5, { body: "x".repeat(50_000) }));
    await ask({ cursor: at(0) });
    expect(posted().map((frame) => frame.length)).to.deep.equal([3, 2, 2]);
    expect(seqs()).to.deep.equal(range(1, 5));
    for (const { body } of connections.posts) expect(Buffer.byteLength(body)).to.be.at.most(MAX_PAYLOAD_BYTES);
  });

  it("sends a first frame that API Gateway does not split, if it has to send more than that", async () => {
    const { ask, history, posted, connections } = setUp();
    await store(history, ...segmentsOf(1, 60, { body: "x".repeat(1_000) }));
    await ask({ cursor: at(0) });
    expect(Buffer.byteLength(connections.posts[0]?.body ?? "")).to.be.within(20_000, 32_768);
    // The rest of the first page, and the second.
    expect(posted()).to.have.length(3);
  });

  it("sends a message as large as they come in a frame after hello and the result", async () => {
    const { ask, history, posted } = setUp();
    const overhead = Buffer.byteLength(JSON.stringify({ ...messageOf(1), body: "" }));
    await store(history, segmentOf(1, { body: "x".repeat(MAX_PAYLOAD_BYTES - overhead) }));
    await ask();
    expect(posted().map((frame) => frame.map(({ type }) => type))).to.deep.equal([["hello", "resumed"], ["message"]]);
  });

  it("reads on while it sends, up to a thousand messages, and says where it will end", async () => {
    for (const count of [1, 7, 100]) {
      const { ask, history, envelopes, seqs } = setUp();
      await store(
        history,
        ...Array.from({ length: Math.ceil(1_200 / count) }, (_, i) => segmentOf(1 + i * count, { count })),
      );
      const newest = Math.ceil(1_200 / count) * count;
      await ask({ cursor: at(3) });
      expect(envelopes()[0]).to.include({ newest });
      expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 4, through: 1_003 });
      expect(seqs()).to.deep.equal(range(4, 1_003));
    }
  });

  it("ends at about a megabyte", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, ...segmentsOf(1, 60, { body: "x".repeat(20_000) }));
    await ask();
    expect(envelopes()[1]).to.include({ through: 52 });
    expect(seqs()).to.deep.equal(range(1, 52));
  });

  it("sends only what the cursor misses of a segment, and ends within one", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, segmentOf(1, { count: 10 }), segmentOf(11, { count: 30, body: "x".repeat(50_000) }));
    await ask({ cursor: at(7) });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 8, through: 30 });
    expect(seqs()).to.deep.equal(range(8, 30));
  });

  for (const [name, cursor] of [
    ["the first of them", at(2)],
    ["a later one", at(0)],
  ] as const) {
    it(`sends a segment that the page does not show though it shows its successor: ${name}`, async () => {
      const { ask, history, seqs, envelopes } = setUp();
      await store(history, ...segmentsOf(1, 5));
      const third = segmentOf(3);
      // As if it had been stored while the page was read, and the others seen.
      history.log(key).segments.delete(3);
      let reads = 0;
      history.afterCall = (name) => {
        if (name === "readOn" && ++reads === 2) history.log(key).segments.set(3, third);
        return Promise.resolve();
      };
      await ask({ cursor });
      expect(envelopes()[1]).to.include({ recovered: true, first: cursor.seq + 1, through: 5 });
      expect(seqs()).to.deep.equal(range(cursor.seq + 1, 5));
    });
  }

  it("reads the page again where the newest came after it was read", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, segmentOf(1));
    let reads = 0;
    history.afterCall = async (name) => {
      // The last of the page's two reads, and the newest is read after it.
      if (name === "readOn") reads += 1;
      if (reads === 2 && !history.calls.includes("put")) await history.put(key, segmentOf(2));
    };
    history.beforeCall = async (name) => {
      if (name === "readBack") while (reads < 2) await new Promise(setImmediate);
    };
    await ask({ cursor: at(1) });
    expect(envelopes()[0]).to.include({ newest: 2 });
    expect(seqs()).to.deep.equal([2]);
  });

  it("takes nothing for lost where a log that had expired goes on between the reads", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, segmentOf(3, { storedAtMs: expired, isSealed: true }));
    history.beforeCall = async (name) => {
      if (name !== "readBack") return;
      history.beforeCall = () => Promise.resolve();
      for (const segment of segmentsOf(4, 5)) await history.put(key, segment);
    };
    await ask({ cursor: at(3) });
    expect(envelopes()[0]).to.deep.equal({ type: "hello", epoch: "e1", oldest: 4, newest: 5 });
    expect(envelopes()[1]).to.include({ recovered: true, first: 4, through: 5 });
    expect(seqs()).to.deep.equal([4, 5]);
  });

  it("takes numbers for expired that somebody deleted", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, segmentOf(1), ...segmentsOf(4, 5));
    await ask({ cursor: at(1) });
    expect(envelopes()[0]).to.include({ oldest: 4, newest: 5 });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: false, lost: "expired", first: 4, through: 5 });
    expect(seqs()).to.deep.equal([4, 5]);
  });

  it("says within how many seconds to acknowledge, if the relay needs that", async () => {
    const { ask, history, envelopes } = setUp({ ackSeconds: 5 });
    await store(history, segmentOf(1));
    await ask();
    expect(envelopes()[0]).to.deep.equal({ type: "hello", epoch: "e1", oldest: 1, newest: 1, ackSeconds: 5 });
  });

  it("sends a message whose own time has passed without its body, once it has reported it", async () => {
    const { ask, history, envelopes, receipts, queue, metrics } = setUp();
    await store(history, segmentOf(1), segmentOf(2, { expiresAtMs: now }), segmentOf(3));
    await ask({ cursor: at(0) });
    expect(envelopes().slice(2)).to.deep.equal([
      messageOf(1),
      { type: "message", epoch: "e1", seq: 2, id: "m2", expired: true },
      messageOf(3),
    ]);
    expect(receipts.published.map(({ status, reason, seq }) => [status, reason, seq])).to.deep.equal([
      ["expired", "expires-at", 2],
    ]);
    expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["body of m2"]);
    expect(history.segments(key).map(({ reported }) => reported)).to.deep.equal([[], [0], []]);
    expect(metrics.flushes[0]?.map(({ name }) => name)).to.have.members([
      ...[METRICS.resumed, METRICS.expired, METRICS.deadLettered, METRICS.deadLetteredUserAway],
    ]);
  });

  for (const [name, given, done] of [
    ["was reported before", { reported: [0, 1] }, {}],
    ["was acknowledged elsewhere", {}, { acknowledged: at(2) }],
    ["is settled", {}, { settled: at(2) }],
    ["was acknowledged in an earlier epoch of the log", { epoch: "d" }, { acknowledged: at(2, "d") }],
    ["is of an earlier epoch, and was acknowledged in the present one", { epoch: "d" }, { acknowledged: at(3) }],
  ] as const) {
    it(`reports no expired message that ${name}`, async () => {
      const { ask, history, envelopes, receipts, queue } = setUp();
      await store(
        history,
        segmentOf(1, { count: 2, expiresAtMs: now, ...given, reported: [...(given.reported ?? [])] }),
        segmentOf(3),
      );
      history.log(key).cursor = { oldestSeq: 1, ...done };
      await ask({ cursor: at(0) });
      expect(envelopes().slice(2)).to.have.length(3);
      for (const envelope of envelopes().slice(2, 4)) expect(envelope).to.include({ expired: true });
      expect([...receipts.published, ...queue.deadLetters]).to.deep.equal([]);
      expect(history.calls).not.to.include("addReported");
    });
  }

  it("reports what a cursor of a log that is gone seems to cover", async () => {
    const { ask, history, receipts } = setUp();
    await store(history, segmentOf(1, { count: 2, expiresAtMs: now }), segmentOf(3));
    history.log(key).cursor = { oldestSeq: 90, acknowledged: at(99, "d"), settled: at(99, "d") };
    await ask({ cursor: at(0) });
    expect(receipts.published.map(({ status, seq }) => [status, seq])).to.deep.equal([
      ["expired", 1],
      ["expired", 2],
    ]);
  });

  it("reports what the client will never see and acknowledges all the same, before it sends what comes after", async () => {
    const { ask, history, receipts, connections, seqs } = setUp();
    await store(
      history,
      segmentOf(1, { count: 3, storedAtMs: expired }),
      segmentOf(4, { storedAtMs: expired }),
      ...segmentsOf(5, 6),
    );
    await history.acknowledge(key, at(1));
    connections.onPost = () => {
      expect(receipts.published).to.have.length(3);
      return Promise.resolve({ result: "delivered" });
    };
    await ask({ cursor: at(2) });
    expect(receipts.published.map(({ status, reason, seq }) => [status, reason, seq])).to.deep.equal([
      // Otherwise its receipt would be lost: what is settled gets none later.
      ["delivered", undefined, 2],
      ["expired", "retention", 3],
      ["expired", "retention", 4],
    ]);
    expect(history.log(key).cursor).to.deep.equal({ oldestSeq: 1, acknowledged: at(2), settled: at(4) });
    expect(seqs()).to.deep.equal([5, 6]);
  });

  it("reports the reason by which a skipped message expired first", async () => {
    const { ask, history, receipts } = setUp();
    await store(
      history,
      segmentOf(1, { storedAtMs: expired, expiresAtMs: now - 1 }),
      segmentOf(2, { storedAtMs: expired, expiresAtMs: now + 1 }),
      segmentOf(3),
    );
    await ask();
    expect(receipts.published.map(({ reason }) => reason)).to.deep.equal(["expires-at", "retention"]);
  });

  it("reports skipped messages once, though it could not send anything", async () => {
    const { ask, history, receipts, connections } = setUp();
    await store(history, ...segmentsOf(1, 2, { storedAtMs: expired }), segmentOf(3));
    connections.answers.set("c1", "gone");
    await ask({ cursor: at(0) });
    await ask({ cursor: at(0) });
    expect(receipts.published.map(({ seq }) => seq)).to.deep.equal([1, 2]);
  });

  it("sends nothing, and says that it cannot, where what has expired may not have been reported", async () => {
    const { ask, history, receipts, envelopes } = setUp();
    await store(history, ...segmentsOf(1, 2, { storedAtMs: expired }), segmentOf(3));
    receipts.fails = true;
    expect(await ask({ cursor: at(0) })).to.deep.equal({ statusCode: 500 });
    expect(envelopes()).to.deep.equal([
      { type: "error", code: "unavailable", message: "the relay could not answer: ask again", action: "resume" },
    ]);
    expect(history.log(key).cursor.settled).to.equal(undefined);
  });

  describe("after more than the cursor that has arrived", () => {
    it("sends what follows that, and acknowledges the cursor alone", async () => {
      const { ask, history, envelopes, seqs, receipts } = setUp();
      await store(history, ...segmentsOf(1, 9));
      await ask({ cursor: at(2), after: 6 });
      expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 7, through: 9 });
      expect(seqs()).to.deep.equal([7, 8, 9]);
      expect(history.log(key).cursor.acknowledged).to.deep.equal(at(2));
      expect(receipts.published.map(({ status, seq }) => [status, seq])).to.deep.equal([
        ["delivered", 1],
        ["delivered", 2],
      ]);
    });

    it("reads no more for it", async () => {
      const { ask, history } = setUp();
      await store(history, ...segmentsOf(1, 50));
      await ask({ cursor: at(30), after: 40 });
      const { calls } = history;
      const reads = [...calls];
      calls.length = 0;
      await ask({ cursor: at(40) });
      expect(reads.filter((name) => name.startsWith("read"))).to.deep.equal(
        calls.filter((name) => name.startsWith("read")),
      );
    });

    it("reports what has arrived and was not handled before it expired, too", async () => {
      const { ask, history, seqs, receipts } = setUp();
      await store(history, ...segmentsOf(1, 5, { storedAtMs: expired }), ...segmentsOf(6, 7));
      await ask({ cursor: at(2), after: 4 });
      expect(seqs()).to.deep.equal([6, 7]);
      expect(receipts.published.map(({ status, seq }) => [status, seq])).to.deep.equal([
        ["delivered", 1],
        ["delivered", 2],
        ["expired", 3],
        ["expired", 4],
        ["expired", 5],
      ]);
    });

    it("goes on page by page, though the cursor does not move", async () => {
      const { ask, history, envelopes } = setUp();
      await store(history, segmentOf(1, { count: 2_500 }));
      const pages: unknown[] = [];
      for (let after = 0; after < 2_500;) {
        const from = envelopes().length;
        await ask({ cursor: at(0), after });
        const resumed = envelopes()[from + 1];
        after = resumed?.type === "resumed" ? resumed.through : Infinity;
        pages.push(after);
      }
      expect(pages).to.deep.equal([1_000, 2_000, 2_500]);
    });
  });

  describe("acknowledges its cursor", () => {
    it("after it has sent the messages, with the receipts before it moves", async () => {
      const { ask, history, connections, receipts, metrics, log } = setUp();
      await store(history, segmentOf(1, { count: 2 }), ...segmentsOf(3, 5));
      const order: string[] = [];
      history.beforeCall = (name) => {
        if (name === "acknowledge") order.push(`${name} after ${receipts.published.length} receipts`);
        return Promise.resolve();
      };
      connections.onPost = () => (order.push("post"), Promise.resolve({ result: "delivered" }));
      await ask({ cursor: at(3) });
      expect(order).to.deep.equal(["post", "acknowledge after 3 receipts"]);
      expect(receipts.published.map(({ status, seq }) => [status, seq])).to.deep.equal(
        [1, 2, 3].map((seq) => ["delivered", seq]),
      );
      expect(history.log(key).cursor.acknowledged).to.deep.equal(at(3));
      expect(metrics.flushes[0]).to.deep.include({ name: METRICS.acknowledged, value: 3, reason: undefined });
      expect(log.lines.at(-1)).to.include({ event: "acknowledged", seq: 3, messages: 3 });
    });

    for (const [name, cursor, acknowledged] of [
      ["it was acknowledged", at(3), at(3)],
      ["more was acknowledged", at(2), at(3)],
      ["it is of another epoch", at(3, "d"), undefined],
      ["it is ahead", at(6), undefined],
      ["the client has seen nothing", at(0), undefined],
      ["there is none", undefined, undefined],
    ] as const) {
      it(`only if it moves: not where ${name}`, async () => {
        const { ask, history, receipts } = setUp();
        await store(history, ...segmentsOf(1, 5));
        if (acknowledged) await history.acknowledge(key, acknowledged);
        history.calls.length = 0;
        await ask({ cursor });
        expect(history.calls).not.to.include.members(["acknowledge"]);
        expect(history.log(key).cursor.acknowledged).to.deep.equal(acknowledged);
        expect(receipts.published).to.deep.equal([]);
      });
    }

    it("and tells the client that it is not acknowledged where that fails, after the messages", async () => {
      for (const method of ["acknowledge", "publish"]) {
        const { ask, history, receipts, seqs, events, posted } = setUp();
        await store(history, ...segmentsOf(1, 5));
        receipts.fails = method === "publish";
        history.beforeCall = (name) => (name === method ? Promise.reject(new Error("fails")) : Promise.resolve());
        expect(await ask({ cursor: at(3) })).to.deep.equal({ statusCode: 200 });
        expect(seqs(), method).to.deep.equal([4, 5]);
        const message = "the relay could not answer: ask again";
        expect(posted().slice(1)).to.deep.equal([[{ type: "error", code: "unavailable", message, action: "ack" }]]);
        expect(events()).to.deep.equal(["resumed", "cursor not moved"]);
      }
    });

    it("with no receipt for what was reported as expired while it sent the messages", async () => {
      const { ask, history, connections, receipts } = setUp();
      await store(history, segmentOf(1, { count: 4 }), segmentOf(5));
      connections.onPost = async () => {
        await history.settle(key, { settled: at(1) });
        await history.addReported(key, 1, [2]);
        return { result: "delivered" };
      };
      await ask({ cursor: at(5) });
      expect(receipts.published.map(({ seq }) => seq)).to.deep.equal([2, 4, 5]);
    });

    it("with no receipt for what was reported as expired", async () => {
      const { ask, history, receipts } = setUp();
      await store(history, segmentOf(1, { count: 4, reported: [2] }), segmentOf(5));
      await history.settle(key, { settled: at(1) });
      await ask({ cursor: at(5) });
      expect(receipts.published.map(({ seq }) => seq)).to.deep.equal([2, 4, 5]);
    });
  });

  describe("finds the oldest number", () => {
    const log = [...segmentsOf(1, 300, { storedAtMs: expired }), ...segmentsOf(301, 400)];

    for (const [bound, most] of [
      [1, 10],
      [250, 10],
      [301, 1],
      [350, 10],
      [400, 10],
      [9_000, 10],
    ] as const) {
      it(`from the bound ${bound}`, async () => {
        const { ask, history, envelopes } = setUp();
        await store(history, ...log);
        history.log(key).cursor = { oldestSeq: bound, acknowledged: at(400) };
        await ask({ cursor: at(400) });
        expect(envelopes()[0]).to.deep.equal({ type: "hello", epoch: "e1", oldest: 301, newest: 400 });
        // Besides the one of the tail.
        expect(history.calls.filter((call) => call === "readBack").length - 1).to.be.within(1, most);
      });
    }

    it("and stores it after the answer if the bound is far behind", async () => {
      for (const [oldestSeq, expectedSeq] of [
        [1, 301],
        [200, 301],
        [201, 201],
        [301, 301],
      ] as const) {
        const { ask, history, connections } = setUp();
        await store(history, ...log);
        history.log(key).cursor = { oldestSeq, acknowledged: at(400) };
        connections.onPost = () => {
          expect(history.calls).not.to.include("settle");
          return Promise.resolve({ result: "delivered" });
        };
        await ask({ cursor: at(400) });
        expect(history.log(key).cursor.oldestSeq).to.equal(expectedSeq);
      }
    });

    it("and says nothing to the client if storing it fails", async () => {
      const { ask, history, events, posted } = setUp();
      await store(history, ...log);
      history.log(key).cursor = { oldestSeq: 1, acknowledged: at(400) };
      history.beforeCall = (name) => (name === "settle" ? Promise.reject(new Error("fails")) : Promise.resolve());
      expect(await ask({ cursor: at(400) })).to.deep.equal({ statusCode: 200 });
      expect(posted()).to.have.length(1);
      expect(events()).to.deep.equal(["resumed", "cursor not moved"]);
    });

    it("of a log whose first segments are deleted", async () => {
      const { ask, history, envelopes } = setUp();
      await store(history, segmentOf(90, { storedAtMs: expired }), ...segmentsOf(301, 400));
      await ask({ cursor: at(400) });
      expect(envelopes()[0]).to.include({ oldest: 301 });
    });

    it("after a segment that was sealed under a shorter retention", async () => {
      const { ask, history, envelopes } = setUp();
      await store(history, segmentOf(1, { count: 2, isSealed: true }), segmentOf(3));
      await ask();
      expect(envelopes()[0]).to.include({ oldest: 3, newest: 3 });
    });

    it("with the retention that the relay has now, if it has become shorter", async () => {
      const { ask, history, envelopes } = setUp();
      const untilMs = now + 86_400_000;
      await store(history, ...segmentsOf(1, 2, { storedAtMs: expired, untilMs }), segmentOf(3, { untilMs }));
      await ask();
      expect(envelopes()[0]).to.include({ oldest: 3, newest: 3 });
    });

    it("with the retention that a message was stored with, if it has become longer", async () => {
      const { ask, history, envelopes } = setUp();
      await store(history, ...segmentsOf(1, 2, { untilMs: now }), segmentOf(3));
      await ask();
      expect(envelopes()[0]).to.include({ oldest: 3, newest: 3 });
    });
  });

  describe("where a log has two epochs", () => {
    const restored = () => [...segmentsOf(1, 5, { epoch: "d" }), ...segmentsOf(6, 8)];

    it("names all numbers by the present one", async () => {
      const { ask, history, envelopes } = setUp();
      await store(history, ...restored());
      await ask({ cursor: at(4) });
      expect(envelopes()).to.deep.equal([
        { type: "hello", epoch: "e1", oldest: 1, newest: 8 },
        { type: "resumed", recovered: true, first: 5, through: 8 },
        ...range(5, 8).map(messageOf),
      ]);
    });

    it("sends everything to a cursor of the former one, which the log may have grown past", async () => {
      const { ask, history, envelopes, seqs } = setUp();
      await store(history, ...restored());
      await ask({ cursor: at(7, "d") });
      expect(envelopes()[1]).to.include({ recovered: false, lost: "epoch" });
      expect(seqs()).to.deep.equal(range(1, 8));
    });
  });
});
