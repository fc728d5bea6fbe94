import { expect } from "chai";
import { row, store } from "./frameSetUp";
import { at, range, setUp } from "./resumeSetUp";
import { key, now, segmentOf, segmentsOf } from "../history/segments";

describe("resume, where something is in its way", () => {
  describe("where a frame is not taken", () => {
    for (const [result, event, level] of [
      ["throttled", "not posted", "info"],
      ["gone", "not posted", "info"],
      ["network-error", "not posted", "info"],
      ["forbidden", "configuration error: the function may not post to connections", "error"],
    ] as const) {
      it(`sends no further one, and answers 200: ${result}`, async () => {
        const { ask, history, connections, log, seqs } = setUp();
        await store(history, ...segmentsOf(1, 9, { body: "x".repeat(50_000) }));
        connections.onPost = () => Promise.resolve({ result: connections.posts.length === 2 ? result : "delivered" });
        expect(await ask()).to.deep.equal({ statusCode: 200 });
        expect(connections.posts).to.have.length(2);
        expect(seqs()).to.deep.equal(range(1, 3));
        expect(log.lines.map((line) => [line.level, line.event])).to.deep.equal([
          [level, event],
          ["info", "resumed"],
        ]);
        expect(log.lines[1]).to.include({ sent: 1, through: 9 });
      });
    }

    it("ignores a page that fails meanwhile", async () => {
      const { ask, history, connections, events } = setUp();
      await store(history, ...segmentsOf(1, 300));
      let reads = 0;
      history.beforeCall = (name) => {
        if (name === "readOn" && ++reads === 3) return Promise.reject(new Error("read fails"));
        return Promise.resolve();
      };
      connections.answers.set("c1", "throttled");
      const unhandled: unknown[] = [];
      const listeners = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection").on("unhandledRejection", (reason) => unhandled.push(reason));
      try {
        expect(await ask()).to.deep.equal({ statusCode: 200 });
        await new Promise(setImmediate);
      } finally {
        process.removeAllListeners("unhandledRejection");
        for (const listener of listeners) process.on("unhandledRejection", listener);
      }
      expect(reads).to.equal(3);
      expect(unhandled).to.deep.equal([]);
      expect(events()).to.deep.equal(["not posted", "resumed"]);
    });
  });

  it("tells a superseded connection so, and sends it nothing", async () => {
    const { ask, table, history, connections, envelopes, events, metrics } = setUp();
    await store(history, segmentOf(1));
    table.put({ ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 });
    connections.gone = false;
    expect(await ask()).to.deep.equal({ statusCode: 200 });
    expect(envelopes()).to.deep.equal([{ type: "superseded" }]);
    expect(connections.asked).to.deep.equal(["c2"]);
    expect(events()).to.deep.equal(["superseded"]);
    expect(metrics.flushes).to.deep.equal([[]]);
  });

  for (const [name, gone, age, code, statusCode] of [
    ["ask again where the other connection's handshake is not over, and may fail", true, 59_999, "unavailable", 200],
    ["open another connection where the other one has ended unnoticed", true, 60_000, "no-session", 200],
    ["ask again where the gateway does not say whether the other one is open", undefined, 60_000, "unavailable", 500],
  ] as const) {
    it(`tells a connection that has lost its place to ${name}`, async () => {
      const { ask, table, history, connections, envelopes } = setUp();
      await store(history, segmentOf(1));
      table.put({ ...row, connectedAt: now - age - 1 });
      table.put({ ...row, connectionId: "c2", connectedAt: now - age });
      connections.gone = gone;
      expect(await ask()).to.deep.equal({ statusCode });
      expect(envelopes().map((envelope) => envelope.type === "error" && envelope.code)).to.deep.equal([code]);
    });
  }

  const ended = "the session has ended: open another connection";
  for (const [name, prepare, message, reason] of [
    [
      "no lookup",
      ({ table }: ReturnType<typeof setUp>) => table.lookupItems.clear(),
      "the relay does not know this connection: open another one",
      undefined,
    ],
    ["no row", ({ table }: ReturnType<typeof setUp>) => table.rows.clear(), ended, "no-session"],
    [
      "an expired row",
      ({ table }: ReturnType<typeof setUp>) => table.put({ ...row, expirationDate: now / 1000 }),
      ended,
      "session-expired",
    ],
    [
      "a row whose token has ended",
      ({ table }: ReturnType<typeof setUp>) => table.put({ ...row, tokenExpiresAt: now / 1000 }),
      ended,
      "token-expired",
    ],
    [
      "a row from before messages were replayed",
      ({ table }: ReturnType<typeof setUp>) => table.put({ ...row, subprotocol: undefined }),
      ended,
      "subprotocol-changed",
    ],
  ] as const) {
    it(`tells a connection that has ${name} to come back, and sends it nothing`, async () => {
      const parts = setUp();
      await store(parts.history, segmentOf(1));
      prepare(parts);
      expect(await parts.ask()).to.deep.equal({ statusCode: 200 });
      expect(parts.envelopes()).to.deep.equal([{ type: "error", code: "no-session", message, action: "resume" }]);
      expect(parts.log.lines).to.have.length(1);
      expect(parts.log.lines[0]).to.include({ level: "warn", event: "frame refused", code: "no-session" });
      expect(parts.log.lines[0]?.reason).to.equal(reason);
    });
  }

  it("tells a client what is wrong with its frame, and calls nothing else", async () => {
    const { send, envelopes, table, history, log } = setUp();
    expect(await send({ action: "resume", cursor: { epoch: "e1", seq: -1 } })).to.deep.equal({ statusCode: 200 });
    const message = "cursor.seq: got -1; allowed: a whole number from 0";
    expect(envelopes()).to.deep.equal([{ type: "error", code: "bad-request", message, action: "resume" }]);
    expect([...table.calls, ...history.calls]).to.deep.equal([]);
    expect(log.lines).to.deep.equal([
      {
        level: "warn",
        event: "frame refused",
        connectionId: "c1",
        requestId: "r1",
        code: "bad-request",
        detail: message,
      },
    ]);
  });

  const faults = ["readLookup", "read", "readBack", "readCursor", "readOn"];
  for (const method of faults) {
    it(`answers 500, logs and has the client ask again where ${method} fails`, async () => {
      const { ask, table, history, envelopes, log } = setUp();
      await store(history, segmentOf(1));
      table.failing.add(method);
      history.beforeCall = (name) => (name === method ? Promise.reject(new Error(`${name} fails`)) : Promise.resolve());
      expect(await ask({ cursor: at(0) })).to.deep.equal({ statusCode: 500 });
      expect(envelopes()).to.deep.equal([
        { type: "error", code: "unavailable", message: "the relay could not answer: ask again", action: "resume" },
      ]);
      expect(log.lines[0]).to.include({ level: "error", event: "frame not handled", errorMessage: `${method} fails` });
    });
  }

  it("has the client ask again where a later page fails, or does not have what was there", async () => {
    for (const fault of ["fails", "has a hole"]) {
      const { ask, history, envelopes, seqs } = setUp();
      await store(history, ...segmentsOf(1, 300));
      let reads = 0;
      history.beforeCall = (name) => {
        // The log's first segment, the first page, and the second.
        if (name !== "readOn" || ++reads !== 3) return Promise.resolve();
        history.log(key).segments.delete(33);
        return fault === "fails" ? Promise.reject(new Error("read fails")) : Promise.resolve();
      };
      expect(await ask()).to.deep.equal({ statusCode: 500 });
      expect(seqs()).to.deep.equal(range(1, 32));
      expect(envelopes().at(-1)).to.include({ type: "error", code: "unavailable", action: "resume" });
    }
  });

  it("stops when its time is up, and says so", async () => {
    const { send, log, envelopes, history } = setUp();
    history.beforeCall = (name) => (name === "readBack" ? Promise.reject(new Error("aborted")) : Promise.resolve());
    expect(await send({ action: "resume" }, 3_000)).to.deep.equal({ statusCode: 500 });
    expect(log.lines[0]).to.include({ event: "frame not handled", outOfTime: true });
    expect(envelopes()[0]).to.include({ code: "unavailable" });
  });

  it("answers 500 all the same where the client cannot be told", async () => {
    const { ask, table, connections, events } = setUp();
    table.failing.add("readLookup");
    connections.answers.set("c1", "gone");
    expect(await ask()).to.deep.equal({ statusCode: 500 });
    expect(events()).to.deep.equal(["frame not handled", "not posted"]);
  });

  it("logs no payload, and nothing of what the client has put into its frame", async () => {
    const { ask, send, history, log } = setUp();
    await store(history, ...segmentsOf(1, 2, { body: "secret", expiresAtMs: now }));
    await ask({ cursor: at(0, "secret") });
    await send({ action: "resume", cursor: "secret" });
    await send("secret");
    expect(log.lines.length).to.be.above(3);
    expect(log.text).not.to.contain("secret");
  });
});
