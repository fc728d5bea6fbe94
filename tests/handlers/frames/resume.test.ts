import { expect } from "chai";
import { METRICS } from "../../../handlers/metrics";
import { GRACE_MS } from "../../../handlers/history/retention";
import { MAX_PAYLOAD_BYTES } from "../../../protocol";
import { callDepths, retentionMs } from "./frameSetUp";
import { at, expired, messageOf, range, setUp } from "./resumeSetUp";
import { entriesOf, entryOf, key, now, store } from "../history/storedEntries";

describe("resume", () => {
  it("sends hello, the result and the messages after the cursor in one frame", async () => {
    const { ask, history, posted, metrics, log } = setUp();
    await store(history, ...entriesOf(1, 5));
    expect(await ask({ cursor: at(2) })).to.deep.equal({ statusCode: 200 });
    expect(posted()).to.deep.equal([
      [
        { type: "hello", epoch: "e", oldest: 1, newest: 5 },
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
    await store(history, ...entriesOf(1, 5));
    await history.acknowledge(key, at(3));
    await ask();
    expect(envelopes().slice(1)).to.deep.equal([
      { type: "resumed", recovered: true, first: 4, through: 5 },
      ...range(4, 5).map(messageOf),
    ]);
  });

  it("sends everything that is there where the oldest is asked for", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, ...entriesOf(1, 2, { storedAtMs: expired, body: undefined }), ...entriesOf(3, 5));
    await history.acknowledge(key, at(5));
    await ask({ from: "oldest" });
    expect(envelopes()[0]).to.deep.equal({ type: "hello", epoch: "e", oldest: 3, newest: 5 });
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
    await store(history, entryOf(1));
    await ask({ cursor: at(1) });
    expect(posted()).to.deep.equal([
      [
        { type: "hello", epoch: "e", oldest: 1, newest: 1 },
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
      await store(history, ...entriesOf(1, 2, { storedAtMs: expired, body: undefined }), ...entriesOf(3, 5));
      await ask({ cursor });
      expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: false, lost, first: 3, through: 5 });
      expect(seqs()).to.deep.equal([3, 4, 5]);
      expect(metrics.flushes).to.deep.equal([[{ name: METRICS.resumed, value: 1, reason: lost }]]);
    });
  }

  it("sends nothing of a log that has expired, up to its tail without a body", async () => {
    const { ask, history, posted } = setUp();
    await store(history, entryOf(9, { storedAtMs: expired, body: undefined }));
    await ask({ cursor: at(7) });
    expect(posted()).to.deep.equal([
      [
        { type: "hello", epoch: "e", oldest: 10, newest: 9 },
        { type: "resumed", recovered: false, lost: "expired", first: 10, through: 9 },
      ],
    ]);
  });

  describe("makes at most four calls one after the other up to the first message", () => {
    for (const [name, asked, entries, expected] of [
      ["with a cursor", { cursor: at(2) }, entriesOf(1, 5), 3],
      ["without one", {}, entriesOf(1, 5), 4],
      ["from the oldest", { from: "oldest" }, entriesOf(1, 5), 4],
      [
        "with a cursor that does not hold",
        { cursor: at(1) },
        [...entriesOf(1, 2, { storedAtMs: expired, body: undefined }), ...entriesOf(3, 5)],
        4,
      ],
    ] as const) {
      it(`${name}: ${expected}`, async () => {
        const parts = setUp();
        await store(parts.history, ...entries);
        const depths = callDepths(parts);
        await parts.ask(asked);
        expect(parts.envelopes()[2]).to.have.property("type", "message");
        expect(depths.find(([call]) => call === "post")).to.deep.equal(["post", expected]);
      });
    }
  });

  it("packs what is more than a frame holds into several, in order", async () => {
    const { ask, history, posted, seqs, connections } = setUp();
    await store(history, ...entriesOf(1, 5, { body: "x".repeat(50_000) }));
    await ask({ cursor: at(0) });
    expect(posted().map((frame) => frame.length)).to.deep.equal([4, 2, 1]);
    expect(seqs()).to.deep.equal(range(1, 5));
    for (const { body } of connections.posts) expect(Buffer.byteLength(body)).to.be.at.most(MAX_PAYLOAD_BYTES);
  });

  it("sends a message as large as they come in a frame after hello and the result", async () => {
    const { ask, history, posted } = setUp();
    const overhead = Buffer.byteLength(JSON.stringify({ ...messageOf(1), body: "" }));
    await store(history, entryOf(1, { body: "x".repeat(MAX_PAYLOAD_BYTES - overhead) }));
    await ask();
    expect(posted().map((frame) => frame.map(({ type }) => type))).to.deep.equal([["hello", "resumed"], ["message"]]);
  });

  it("reads on while it sends, up to a thousand messages, and says where it will end", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, ...entriesOf(1, 1_200));
    await ask();
    expect(envelopes()[0]).to.include({ newest: 1_200 });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 1, through: 1_000 });
    expect(seqs()).to.deep.equal(range(1, 1_000));
  });

  it("ends at about a megabyte", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, ...entriesOf(1, 60, { body: "x".repeat(20_000) }));
    await ask();
    expect(envelopes()[1]).to.include({ through: 52 });
    expect(seqs()).to.deep.equal(range(1, 52));
  });

  it("reads again where a number is missing that came while the page was read", async () => {
    const { ask, history, seqs } = setUp();
    await store(history, ...entriesOf(1, 2));
    // Of the two that are stored while the page is read, it shows the later one only.
    const shown = [false, true];
    history.seesMeanwhile = () => shown.shift() ?? true;
    history.beforeCall = async (name) => {
      // The newest is read when both are there.
      if (name === "readTail") while (shown.length > 0) await new Promise(setImmediate);
      if (name !== "readAfter: meanwhile" || shown.length === 0) return;
      for (const entry of entriesOf(3, 4)) await history.put(key, entry);
    };
    await ask({ cursor: at(0) });
    expect(seqs()).to.deep.equal([1, 2, 3, 4]);
    expect(history.calls.filter((call) => call === "readAfter")).to.have.length(2);
  });

  it("reads on where a page has a hole before the newest", async () => {
    const { ask, history, seqs, envelopes } = setUp();
    await store(history, ...entriesOf(1, 5));
    const third = entryOf(3);
    // As if the third had been stored while the page was read, and the others seen.
    history.log(key).entries.delete(3);
    history.afterCall = (name) => {
      if (name === "readAfter") history.log(key).entries.set(3, third);
      return Promise.resolve();
    };
    await ask({ cursor: at(0) });
    expect(envelopes()[1]).to.include({ recovered: true, first: 1, through: 5 });
    expect(seqs()).to.deep.equal(range(1, 5));
  });

  it("reads the page again where the newest came after it was read", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, entryOf(1));
    history.beforeCall = async (name) => {
      if (name !== "readTail") return;
      // The page has been read by then.
      while (!history.calls.includes("readAfter")) await new Promise(setImmediate);
      history.beforeCall = () => Promise.resolve();
      await history.put(key, entryOf(2));
    };
    await ask({ cursor: at(1) });
    expect(envelopes()[0]).to.include({ newest: 2 });
    expect(seqs()).to.deep.equal([2]);
    expect(history.calls.filter((call) => call === "readAfter")).to.have.length(2);
  });

  it("takes nothing for lost where a log that had expired goes on between the reads", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, entryOf(3, { storedAtMs: expired, body: undefined }));
    history.beforeCall = async (name) => {
      if (name !== "readTail") return;
      while (!history.calls.includes("readOldest")) await new Promise(setImmediate);
      history.beforeCall = () => Promise.resolve();
      for (const entry of entriesOf(4, 5)) await history.put(key, entry);
    };
    await ask({ cursor: at(3) });
    expect(envelopes()[0]).to.deep.equal({ type: "hello", epoch: "e", oldest: 4, newest: 5 });
    expect(envelopes()[1]).to.include({ recovered: true, first: 4, through: 5 });
    expect(seqs()).to.deep.equal([4, 5]);
  });

  it("takes numbers for expired that were deleted by another retention than its own", async () => {
    const { ask, history, envelopes, seqs } = setUp();
    await store(history, entryOf(1), ...entriesOf(4, 5));
    await ask({ cursor: at(1) });
    expect(envelopes()[0]).to.include({ oldest: 4, newest: 5 });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: false, lost: "expired", first: 4, through: 5 });
    expect(seqs()).to.deep.equal([4, 5]);
  });

  it("sends a message whose own time has passed without its body, once it has reported it", async () => {
    const { ask, history, envelopes, receipts, queue, metrics } = setUp();
    await store(history, entryOf(1), entryOf(2, { expiresAtMs: now }), entryOf(3));
    await ask({ cursor: at(0) });
    expect(envelopes().slice(2)).to.deep.equal([
      messageOf(1),
      { type: "message", epoch: "e", seq: 2, id: "m2", expired: true },
      messageOf(3),
    ]);
    expect(receipts.published.map(({ status, reason, seq }) => [status, reason, seq])).to.deep.equal([
      ["expired", "expires-at", 2],
    ]);
    expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["body 2"]);
    expect(history.log(key).entries.get(2)).to.deep.include({ body: undefined });
    expect(history.log(key).due.get(2)).to.equal(now - 1_000 + retentionMs + GRACE_MS);
    expect(metrics.flushes[0]?.map(({ name }) => name)).to.have.members([
      ...[METRICS.resumed, METRICS.expired, METRICS.deadLettered],
    ]);
  });

  for (const [name, given, acknowledged] of [
    ["was reported before", { body: undefined }, undefined],
    ["was acknowledged elsewhere", {}, at(2)],
  ] as const) {
    it(`reports no such message that ${name}`, async () => {
      const { ask, history, envelopes, receipts, queue } = setUp();
      await store(history, ...entriesOf(1, 2, { expiresAtMs: now, ...given }));
      if (acknowledged) await history.acknowledge(key, acknowledged);
      await ask({ cursor: at(0) });
      expect(envelopes().slice(2)).to.have.length(2);
      for (const envelope of envelopes().slice(2)) expect(envelope).to.include({ expired: true });
      expect([...receipts.published, ...queue.deadLetters]).to.deep.equal([]);
      expect(history.calls).not.to.include("strip");
    });
  }

  it("reports what the client will never see and acknowledges all the same, before it sends what comes after", async () => {
    const { ask, history, receipts, connections, seqs } = setUp();
    await store(history, ...entriesOf(1, 4, { storedAtMs: expired }), ...entriesOf(5, 6));
    await history.acknowledge(key, at(1));
    connections.onPost = () => {
      expect(receipts.published).to.have.length(2);
      return Promise.resolve({ result: "delivered" });
    };
    await ask({ cursor: at(2) });
    expect(receipts.published.map(({ reason, seq }) => [reason, seq])).to.deep.equal([
      ["retention", 3],
      ["retention", 4],
    ]);
    expect(
      [...history.log(key).entries.values()].filter(({ body }) => body === undefined).map(({ seq }) => seq),
    ).to.deep.equal([3, 4]);
    expect(seqs()).to.deep.equal([5, 6]);
  });

  it("sends nothing, and says that it cannot, where what has expired may not have been reported", async () => {
    const { ask, history, receipts, envelopes } = setUp();
    await store(history, ...entriesOf(1, 2, { storedAtMs: expired }), entryOf(3));
    receipts.fails = true;
    expect(await ask({ cursor: at(0) })).to.deep.equal({ statusCode: 500 });
    expect(envelopes()).to.deep.equal([
      { type: "error", code: "unavailable", message: "the relay could not answer: ask again", action: "resume" },
    ]);
    expect(history.calls).not.to.include("strip");
  });
});
