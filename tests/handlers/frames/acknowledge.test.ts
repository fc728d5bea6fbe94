import { expect } from "chai";
import { METRICS } from "../../../handlers/metrics";
import { acknowledge } from "../../../handlers/frames/acknowledge";
import { callDepths, frameOf, frameParts, row, store } from "./frameSetUp";
import { key, now, segmentOf, segmentsOf } from "../history/segments";

function setUp(options?: Parameters<typeof frameParts>[0]) {
  const parts = frameParts(options);
  const handle = acknowledge(parts.dependencies);
  return {
    ...parts,
    ack: (seq: number, epoch = "e1") => handle(...frameOf({ action: "ack", cursor: { epoch, seq } })),
    send: (frame: object | string | undefined) => handle(...frameOf(frame)),
    acknowledged: () => parts.history.log(key).cursor.acknowledged,
    receiptSeqs: () => parts.receipts.published.map(({ seq }) => seq),
  };
}

describe("acknowledge", () => {
  it("moves forward what is acknowledged, counts and logs it, and answers the client nothing", async () => {
    const { ack, history, acknowledged, metrics, log, connections } = setUp();
    await store(history, ...segmentsOf(1, 5));
    await history.acknowledge(key, { epoch: "e1", seq: 1 });
    expect(await ack(4)).to.deep.equal({ statusCode: 200 });
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 4 });
    expect(metrics.flushes).to.deep.equal([[{ name: METRICS.acknowledged, value: 3, reason: undefined }]]);
    expect(log.lines).to.deep.equal([
      { level: "info", event: "acknowledged", connectionId: "c1", requestId: "r1", ...key, seq: 4, messages: 3 },
    ]);
    expect(connections.posts).to.deep.equal([]);
  });

  it("publishes receipts of what it covers, before it moves", async () => {
    const { ack, history, receipts, receiptSeqs } = setUp();
    await store(history, ...segmentsOf(1, 5));
    await history.acknowledge(key, { epoch: "e1", seq: 1 });
    history.beforeCall = (name) => {
      if (name === "acknowledge") expect(receiptSeqs()).to.deep.equal([2, 3, 4]);
      return Promise.resolve();
    };
    expect(await ack(4)).to.deep.equal({ statusCode: 200 });
    expect(receipts.published[0]).to.deep.equal({
      status: "delivered",
      messageId: "m2",
      user: "42",
      context: "chat",
      contextId: "7",
      epoch: "e1",
      seq: 2,
      at: new Date(now).toISOString(),
    });
  });

  it("publishes the receipts of many, a page after the other", async () => {
    const { ack, history, receipts, receiptSeqs } = setUp();
    await store(history, ...segmentsOf(1, 260));
    await ack(250);
    expect(receiptSeqs()).to.deep.equal(Array.from({ length: 250 }, (_, i) => i + 1));
    // A page has a hundred segments, besides the one with the first number.
    expect(receipts.calls).to.deep.equal([101, 100, 49]);
  });

  it("publishes none of what was reported as expired, or deleted", async () => {
    const { ack, history, receiptSeqs, acknowledged } = setUp();
    await store(history, segmentOf(3, { count: 4, reported: [1, 3] }), segmentOf(7), segmentOf(8));
    await history.settle(key, { settled: { epoch: "e1", seq: 3 } });
    await ack(7);
    expect(receiptSeqs()).to.deep.equal([5, 7]);
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 7 });
  });

  it("publishes only what it covers of segments that begin before it, or end after it", async () => {
    const { ack, history, receiptSeqs } = setUp();
    await store(history, segmentOf(1, { count: 5 }), segmentOf(6, { count: 5 }));
    await history.acknowledge(key, { epoch: "e1", seq: 3 });
    await ack(8);
    expect(receiptSeqs()).to.deep.equal([4, 5, 6, 7, 8]);
  });

  it("publishes the receipts of what another epoch of the log acknowledged only once", async () => {
    const { ack, history, receiptSeqs } = setUp();
    await store(history, segmentOf(1, { count: 5, epoch: "d" }), segmentOf(6));
    await history.acknowledge(key, { epoch: "d", seq: 3 });
    await ack(6);
    expect(receiptSeqs()).to.deep.equal([4, 5, 6]);
  });

  it("reads nothing besides the newest segment without receipts, and none but it if it has all messages", async () => {
    for (const wantsReceipts of [false, true]) {
      const { ack, history, receipts, acknowledged } = setUp({ wantsReceipts });
      await store(history, ...(wantsReceipts ? [segmentOf(1, { count: 5 })] : segmentsOf(1, 5)));
      await ack(4);
      expect(history.calls).to.have.members(["readCursor", "readBack", "acknowledge"]);
      expect(receipts.published).to.have.length(wantsReceipts ? 4 : 0);
      expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 4 });
    }
  });

  it("makes three calls one after the other", async () => {
    const parts = setUp({ wantsReceipts: false });
    await store(parts.history, segmentOf(1));
    const depths = callDepths(parts);
    await parts.ack(1);
    expect(depths).to.have.length(4);
    expect(depths.at(-1)).to.deep.equal(["acknowledge", 3]);
  });

  it("takes what a superseded connection, or one without a session, has got", async () => {
    for (const rows of [[{ ...row, connectionId: "c2" }], []]) {
      const { ack, table, history, acknowledged } = setUp();
      table.rows.clear();
      rows.forEach((each) => table.put(each));
      await store(history, segmentOf(1));
      await ack(1);
      expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 1 });
    }
  });

  it("begins anew in another epoch", async () => {
    const { ack, history, acknowledged, metrics } = setUp();
    await store(history, ...segmentsOf(1, 2));
    await history.acknowledge(key, { epoch: "d", seq: 7 });
    await ack(2);
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 2 });
    expect(metrics.flushes[0]?.[0]).to.include({ value: 2 });
  });

  for (const seq of [3, 4]) {
    it(`changes nothing where 4 was acknowledged before ${seq} is`, async () => {
      const { ack, history, acknowledged, receipts, metrics, events } = setUp();
      await store(history, ...segmentsOf(1, 5));
      await history.acknowledge(key, { epoch: "e1", seq: 4 });
      history.calls.length = 0;
      expect(await ack(seq)).to.deep.equal({ statusCode: 200 });
      expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 4 });
      expect(history.calls).not.to.include("acknowledge");
      expect(receipts.calls).to.deep.equal([]);
      expect(metrics.flushes).to.deep.equal([[]]);
      expect(events()).to.deep.equal([]);
    });
  }

  it("counts nothing where another acknowledgement was faster", async () => {
    const { ack, history, acknowledged, metrics, events } = setUp();
    await store(history, ...segmentsOf(1, 5));
    history.beforeCall = async (name) => {
      if (name !== "acknowledge") return;
      history.beforeCall = () => Promise.resolve();
      await history.acknowledge(key, { epoch: "e1", seq: 5 });
    };
    await ack(4);
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 5 });
    expect(metrics.flushes).to.deep.equal([[]]);
    expect(events()).to.deep.equal([]);
  });

  for (const [name, cursor, reason] of [
    ["a number that does not exist", { epoch: "e1", seq: 6 }, "no-such-number"],
    ["a number of another epoch", { epoch: "d", seq: 4 }, "another-epoch"],
  ] as const) {
    it(`ignores ${name}, and logs that`, async () => {
      const { ack, history, acknowledged, receipts, log } = setUp();
      await store(history, ...segmentsOf(1, 5));
      expect(await ack(cursor.seq, cursor.epoch)).to.deep.equal({ statusCode: 200 });
      expect(acknowledged()).to.equal(undefined);
      expect(receipts.calls).to.deep.equal([]);
      expect(log.lines).to.have.length(1);
      expect(log.lines[0]).to.include({ level: "warn", event: "acknowledgement ignored", seq: cursor.seq, reason });
    });
  }

  it("ignores an earlier epoch of the log, whose cursor would move the session's back", async () => {
    const { ack, history, acknowledged, log } = setUp();
    await store(history, ...segmentsOf(1, 5, { epoch: "d" }), segmentOf(6));
    await history.acknowledge(key, { epoch: "e1", seq: 6 });
    await ack(4, "d");
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 6 });
    expect(log.lines[0]).to.include({ event: "acknowledgement ignored", reason: "another-epoch" });
  });

  it("takes a number of the present epoch that is in an earlier one's segment: numbers go on", async () => {
    const { ack, history, acknowledged } = setUp();
    await store(history, ...segmentsOf(1, 5, { epoch: "d" }), segmentOf(6));
    await ack(4);
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 4 });
  });

  it("takes the number of a log that is sealed", async () => {
    const { ack, history, acknowledged, receiptSeqs } = setUp();
    await store(history, segmentOf(4, { count: 2, isSealed: true }));
    await ack(5);
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 5 });
    expect(receiptSeqs()).to.deep.equal([]);
  });

  it("changes nothing where a client that has seen nothing acknowledges the number 0", async () => {
    const { ack, history, acknowledged, events, connections } = setUp();
    await store(history, ...segmentsOf(1, 5));
    expect(await ack(0)).to.deep.equal({ statusCode: 200 });
    expect(acknowledged()).to.equal(undefined);
    expect([...history.calls, ...events(), ...connections.posts]).to.deep.equal([]);
  });

  it("tells a client what is wrong with its frame, and calls nothing else", async () => {
    const { send, posted, table, history } = setUp();
    expect(await send({ action: "ack", cursor: { epoch: "e1", seq: -1 } })).to.deep.equal({ statusCode: 200 });
    const message = "cursor.seq: got -1; allowed: a whole number from 0";
    expect(posted()).to.deep.equal([[{ type: "error", code: "bad-request", message, action: "ack" }]]);
    expect([...table.calls, ...history.calls]).to.deep.equal([]);
  });

  it("tells a connection without a lookup to come back", async () => {
    const { ack, table, posted, history } = setUp();
    table.lookupItems.clear();
    expect(await ack(1)).to.deep.equal({ statusCode: 200 });
    const message = "the relay does not know this connection: open another one";
    expect(posted()).to.deep.equal([[{ type: "error", code: "no-session", message, action: "ack" }]]);
    expect(history.calls).to.deep.equal([]);
  });

  for (const method of ["readLookup", "readCursor", "readBack", "readOn", "publish", "acknowledge"]) {
    it(`answers 500, logs, moves nothing and tells the client to repeat it where ${method} fails`, async () => {
      const { ack, table, history, receipts, acknowledged, posted, log, metrics } = setUp();
      await store(history, ...segmentsOf(1, 5));
      table.failing.add(method);
      receipts.fails = method === "publish";
      history.beforeCall = (name) => (name === method ? Promise.reject(new Error(`${name} fails`)) : Promise.resolve());
      expect(await ack(4)).to.deep.equal({ statusCode: 500 });
      expect(acknowledged()).to.equal(undefined);
      const message = "the relay could not answer: ask again";
      expect(posted()).to.deep.equal([[{ type: "error", code: "unavailable", message, action: "ack" }]]);
      expect(log.lines).to.have.length(1);
      expect(log.lines[0]).to.include({ level: "error", event: "frame not handled", errorMessage: `${method} fails` });
      expect(metrics.flushes).to.deep.equal([[]]);
    });
  }

  it("publishes the same receipts again where it could not move after them", async () => {
    const { ack, history, receiptSeqs, acknowledged } = setUp();
    await store(history, ...segmentsOf(1, 2));
    history.beforeCall = (name) => (name === "acknowledge" ? Promise.reject(new Error("fails")) : Promise.resolve());
    await ack(2);
    history.beforeCall = () => Promise.resolve();
    await ack(2);
    expect(receiptSeqs()).to.deep.equal([1, 2, 1, 2]);
    expect(acknowledged()).to.deep.equal({ epoch: "e1", seq: 2 });
  });

  it("logs no payload, and nothing of what the client has put into its frame", async () => {
    const { ack, send, history, log } = setUp();
    await store(history, segmentOf(1, { body: "secret" }));
    await ack(1);
    await ack(1, "secret");
    await send({ action: "ack", cursor: "secret" });
    expect(log.lines).to.have.length(3);
    expect(log.text).not.to.contain("secret");
  });
});
