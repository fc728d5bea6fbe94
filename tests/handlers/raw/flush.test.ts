import type { SQSRecord } from "aws-lambda";
import { expect } from "chai";
import { flush, MAX_FLUSH_RECEIVES } from "../../../handlers/raw/flush";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { MemoryQueue } from "../../support/boundaries";
import { sqsEvent, sqsRecord } from "../../support/events";
import { key, now } from "../history/segments";
import { protocolConnection, rawConnection, rawSetUp } from "./rawSetUp";

/** `flush` for a session with these connections. */
function setUp(...given: Session[]) {
  const raw = rawSetUp(...given);
  const queue = new MemoryQueue();
  return {
    ...raw,
    queue,
    /** The ids of the requests that are kept. */
    run: async (records: SQSRecord[], remainingMs = 30_000) => {
      const answer = await flush({ ...raw.dependencies, queue })(sqsEvent(...records), {
        getRemainingTimeInMillis: () => remainingMs,
      });
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
    counted: () => raw.metrics.flushes.flat().filter(({ name }) => name === "Flushed"),
    waits: () =>
      queue.visibilities.flat().map(({ sqsMessageId, receiptHandle, visibilityTimeoutSeconds }) => {
        return `${sqsMessageId} ${receiptHandle} ${visibilityTimeoutSeconds}`;
      }),
  };
}

function request(connectionId = "r1", given: { attempt?: number; messageId?: string; body?: string } = {}) {
  return sqsRecord({ body: JSON.stringify({ ...key, connectionId }), ...given });
}

const openOther = "no missed messages sent: another connection is open";

describe("flush", () => {
  it("posts everything that the raw clients have missed, and counts it", async () => {
    const { store, run, posted, cursor, counted, log } = setUp();
    store(1, 3);
    expect(await run([request()])).to.deep.equal([]);
    expect(posted()).to.deep.equal(["r1: m1", "r1: m2", "r1: m3"]);
    expect(cursor()).to.deep.equal({
      oldestSeq: 1,
      accepted: { epoch: "e1", seq: 3 },
      acknowledged: { epoch: "e1", seq: 3 },
    });
    expect(counted()).to.deep.equal([{ name: "Flushed", value: 3, reason: undefined }]);
    expect(log.lines).to.deep.equal([
      { level: "info", event: "missed messages sent", ...key, connectionId: "r1", messages: 3 },
    ]);
  });

  it("posts nothing where nothing was missed, or nothing was ever published", async () => {
    const { store, run, posted, history, counted } = setUp();
    expect(await run([request()])).to.deep.equal([]);
    store(1, 2, { storedAtMs: now - 1_000_000 });
    await history.acknowledge(key, { epoch: "e1", seq: 2 });
    expect(await run([request()])).to.deep.equal([]);
    expect(posted()).to.deep.equal([]);
    expect(counted()).to.deep.equal([]);
    expect(history.log(key).lease).to.equal(undefined);
  });

  it("leaves what is stored after it has begun to `deliver`: another connection may have begun meanwhile", async () => {
    const { store, run, posted, sessions, cursor } = setUp();
    store(1, 2);
    sessions.beforeRead = () => store(3);
    expect(await run([request()])).to.deep.equal([]);
    expect(posted()).to.deep.equal(["r1: m1", "r1: m2"]);
    expect(cursor().accepted).to.deep.equal({ epoch: "e1", seq: 2 });
  });

  it("posts thousands of messages page by page, and saves the cursor after each", async () => {
    const { store, run, posted, history } = setUp();
    store(1, 2_000);
    expect(await run([request()])).to.deep.equal([]);
    expect(posted()).to.have.lengthOf(2_000);
    expect(history.calls.filter((call) => call === "releaseRaw")).to.have.lengthOf(40);
  });

  it("keeps the request where its time is up, and goes on the next time", async () => {
    const { store, run, posted, connections, waits } = setUp();
    store(1, 60);
    let posts = 0;
    connections.onPost = async (_, __, signal) => {
      posts += 1;
      // The function's time is up while the second page is posted.
      if (posts === 55) await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      return { result: signal?.aborted ? "timeout" : "delivered" };
    };
    expect(await run([request()], 7_050)).to.deep.equal(["m1"]);
    expect(waits()).to.deep.equal(["m1 receipt-m1 1"]);
    connections.onPost = undefined;
    expect(await run([request("r1", { attempt: 2 })])).to.deep.equal([]);
    expect(posted().slice(55)).to.deep.equal(["r1: m55", "r1: m56", "r1: m57", "r1: m58", "r1: m59", "r1: m60"]);
  });

  for (const [what, connections] of [
    ["has ended", [rawConnection("r9")]],
    ["speaks the protocol", [protocolConnection("r1")]],
  ] as [string, Session[]][]) {
    it(`does nothing for a connection that ${what}`, async () => {
      const { store, run, posted } = setUp(...connections);
      store(1);
      expect(await run([request()])).to.deep.equal([]);
      expect(posted()).to.deep.equal([]);
    });
  }

  it("does nothing for a superseded connection, or a session that is gone", async () => {
    const { store, run, posted, sessions } = setUp();
    store(1);
    sessions.put(rawConnection("r2", { connectedAt: now }));
    expect(await run([request()])).to.deep.equal([]);
    sessions.sessionRows.clear();
    expect(await run([request("r2")])).to.deep.equal([]);
    expect(posted()).to.deep.equal([]);
  });

  describe("while another connection is live", () => {
    const own = rawConnection("r1", { connectedAt: now });

    for (const [what, other] of [
      ["an older raw one", rawConnection("x")],
      ["one with the protocol", protocolConnection("x")],
      ["a newer one with the protocol", protocolConnection("x", { connectedAt: now + 1 })],
    ] as const) {
      it(`posts nothing old if that is ${what}`, async () => {
        const { store, run, posted, connections, log } = setUp(own, other);
        store(1);
        connections.gone = false;
        expect(await run([request()])).to.deep.equal([]);
        expect(posted()).to.deep.equal([]);
        expect(log.lines.map(({ event, other: otherId }) => [event, otherId])).to.deep.equal([[openOther, "x"]]);
      });
    }

    it("posts what was missed to the older of two raw connections: the other one does not get it", async () => {
      const { store, run, posted, connections } = setUp(own, rawConnection("r2", { connectedAt: now + 500 }));
      connections.gone = false;
      store(1, 1, { storedAtMs: now - 60_000 });
      expect(await run([request("r1", { messageId: "a" }), request("r2", { messageId: "b" })])).to.deep.equal([]);
      expect(posted()).to.deep.equal(["r1: m1"]);
    });

    it("removes one whose $disconnect was lost, and closes it in case it is open", async () => {
      const { store, run, posted, connections, sessions } = setUp(own, rawConnection("x"), protocolConnection("y"));
      store(1);
      expect(await run([request()])).to.deep.equal([]);
      expect(posted()).to.deep.equal(["r1: m1"]);
      expect(connections.asked.sort()).to.deep.equal(["x", "y"]);
      expect(connections.closed.sort()).to.deep.equal(["x", "y"]);
      expect(sessions.connectionIds()).to.deep.equal(["r1"]);
    });

    it("takes a young one with the protocol for one that is just opening, although it is gone", async () => {
      const { store, run, posted, connections } = setUp(own, protocolConnection("x", { connectedAt: now - 59_999 }));
      store(1);
      expect(await run([request()])).to.deep.equal([]);
      expect(connections.asked).to.deep.equal([]);
      expect(posted()).to.deep.equal([]);
    });

    it("posts what was missed where a young raw one is gone, and keeps that one: its connect may have crashed before its request", async () => {
      const { store, run, posted, connections, sessions, cursor } = setUp(
        own,
        rawConnection("x", { connectedAt: now - 2_000 }),
      );
      store(1, 1, { storedAtMs: now - 60_000 });
      expect(await run([request()])).to.deep.equal([]);
      expect(posted()).to.deep.equal(["r1: m1"]);
      expect(cursor().accepted).to.deep.equal({ epoch: "e1", seq: 1 });
      expect(connections.closed).to.deep.equal([]);
      expect(sessions.connectionIds()).to.have.members(["r1", "x"]);
    });

    for (const result of ["gone", "throttled"] as const) {
      it(`posts what was missed to the next raw one only once, though the oldest is young and ${result}`, async () => {
        const ghost = rawConnection("ghost", { connectedAt: now - 2_000 });
        const { store, run, posted, connections, cursor } = setUp(ghost, own);
        connections.answers.set("ghost", result);
        store(1, 60, { storedAtMs: now - 60_000 });
        for (let attempt = 1; attempt <= MAX_FLUSH_RECEIVES; attempt++) await run([request("ghost", { attempt })]);
        const toOwn = posted().filter((each) => each.startsWith("r1: "));
        expect(toOwn).to.have.lengthOf(60);
        expect(new Set(toOwn)).to.have.lengthOf(60);
        expect(cursor().accepted).to.deep.equal({ epoch: "e1", seq: 60 });
      });
    }

    it("keeps the request if that cannot be checked", async () => {
      const { store, run, connections, log } = setUp(own, rawConnection("x"));
      store(1);
      connections.gone = undefined;
      expect(await run([request()])).to.deep.equal(["m1"]);
      expect(log.lines.map(({ level, event }) => [level, event])).to.deep.equal([
        ["error", "missed messages not sent"],
        ["info", "missed messages not sent yet: will be retried"],
      ]);
    });
  });

  for (const result of ["gone", "throttled", "gateway-error", "network-error", "timeout", "forbidden"] as const) {
    it(`keeps the request where the gateway's answer for a young connection is ${result}`, async () => {
      const { store, run, connections, sessions } = setUp(rawConnection("r1", { connectedAt: now - 1_000 }));
      store(1);
      connections.answers.set("r1", result);
      expect(await run([request()])).to.deep.equal(["m1"]);
      expect(sessions.connectionIds()).to.deep.equal(["r1"]);
    });
  }

  it("drops the request of a connection that has ended meanwhile", async () => {
    const { store, run, connections } = setUp();
    store(1);
    connections.answers.set("r1", "gone");
    expect(await run([request()])).to.deep.equal([]);
  });

  it("keeps the request while another invocation posts to the session, and where the tables fail", async () => {
    const { store, run, history, sessions, log } = setUp();
    store(1);
    await history.leaseRaw(key, { owner: "other", untilMs: now + 30_000 }, now);
    expect(await run([request()])).to.deep.equal(["m1"]);
    sessions.failing.add("read");
    expect(await run([request()])).to.deep.equal(["m1"]);
    sessions.failing.clear();
    history.beforeCall = (name) => (name === "leaseRaw" ? Promise.reject(new Error("no table")) : Promise.resolve());
    expect(await run([request()])).to.deep.equal(["m1"]);
    history.beforeCall = () => Promise.reject(new Error("no table"));
    expect(await run([request()])).to.deep.equal(["m1"]);
    expect(log.lines.flatMap(({ event, reason }) => (event.endsWith("will be retried") ? [reason] : []))).to.deep.equal(
      ["raw-busy", "internal-error", "history-unavailable", "internal-error"],
    );
  });

  it("waits a second longer each time, up to five", async () => {
    const { store, run, connections, waits } = setUp(rawConnection("r1", { connectedAt: now }));
    store(1);
    connections.answers.set("r1", "gone");
    for (const attempt of [1, 2, 5, 9]) await run([request("r1", { attempt })]);
    expect(waits()).to.deep.equal([1, 2, 5, 5].map((seconds) => `m1 receipt-m1 ${seconds}`));
  });

  it("gives up after ten receives with a warning", async () => {
    const { store, run, connections, waits, log } = setUp(rawConnection("r1", { connectedAt: now }));
    store(1);
    connections.answers.set("r1", "gone");
    expect(await run([request("r1", { attempt: MAX_FLUSH_RECEIVES })])).to.deep.equal([]);
    expect(waits()).to.deep.equal([]);
    expect(log.lines.filter(({ level }) => level === "warn")).to.deep.equal([
      {
        level: "warn",
        event: "missed messages not sent: the next message or connection sends them",
        ...key,
        connectionId: "r1",
        attempt: 10,
        reason: "connection-gone",
      },
    ]);
  });

  for (const body of [
    "",
    "null",
    "[]",
    '"x"',
    "{}",
    JSON.stringify({ ...key }),
    JSON.stringify({ ...key, connectionId: 7 }),
  ]) {
    it(`deletes what connect has not sent: ${body || "an empty body"}`, async () => {
      const { run, log, sessions } = setUp();
      expect(await run([request("r1", { body })])).to.deep.equal([]);
      expect(log.lines.map(({ level, event }) => [level, event])).to.deep.equal([
        ["warn", "not a request of connect: deleted"],
      ]);
      expect(sessions.calls).to.deep.equal([]);
    });
  }

  it("handles each request of a batch, though one of them fails", async () => {
    const { store, run, history } = setUp();
    store(1);
    await history.leaseRaw(key, { owner: "other", untilMs: now + 30_000 }, now);
    const records = [
      request("r9", { messageId: "a" }),
      request("r1", { messageId: "b" }),
      request("r9", { messageId: "c" }),
    ];
    expect(await run(records)).to.deep.equal(["b"]);
  });
});
