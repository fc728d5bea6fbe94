import { expect } from "chai";
import { METRICS } from "../../../handlers/metrics";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import type { Session } from "../../../handlers/sessions/sessionItems";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation } from "../../support/events";
import { MemoryTable } from "../../support/memoryTable";

const now = 1_700_000_001_000;
const row: Session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
  subprotocol: "websocket-relay.v1",
};
const lookup = {
  connectionId: "c1",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
  session: { callerId: "user#42", context: "chat#7" },
};
const older: Session = { ...row, connectionId: "c0", connectedAt: row.connectedAt - 1 };
const newer: Session = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 };

function setUp(given: Partial<Parameters<typeof connectReplay>[0]> = {}) {
  const table = new MemoryTable();
  const connections = new MemoryConnections();
  const log = new RecordedLog();
  const metrics = new RecordedMetrics();
  const handle = connectReplay({
    authenticator: { authenticate: () => Promise.resolve({ user: "42" }) },
    sessions: table,
    userConnections: table,
    lookups: table.lookups,
    connections,
    markers: table.markers,
    historyRetentionSeconds: 86_400,
    metrics,
    log,
    sessionTtlSeconds: 10_800,
    endSessionWithToken: false,
    now: () => now,
    ...given,
  });
  return {
    table,
    connections,
    log,
    metrics,
    items: () => [...table.sessionRows, ...table.lookupItems],
    handle: async (offered: string | null = "websocket-relay.v1, websocket-relay.raw") => {
      const headers: Record<string, string> = offered === null ? {} : { "Sec-WebSocket-Protocol": offered };
      const { body, ...answer } = await handle(connectEvent({ headers }), invocation());
      return { ...answer, ...(JSON.parse(body) as { message: string }) };
    },
  };
}

describe("connect, where messages are replayed", () => {
  it("answers the subprotocol of envelopes, and saves the lookup before a session that names it", async () => {
    const { handle, table, metrics } = setUp();
    const headers = { "Sec-WebSocket-Protocol": "websocket-relay.v1" };
    expect(await handle()).to.deep.equal({ statusCode: 200, headers, message: "connected" });
    expect(table.calls).to.deep.equal(["readForConnect", "addLookup", "save", "blockedUntil", "mark"]);
    expect([...table.rows.values()]).to.deep.equal([row]);
    expect([...table.lookupItems.values()]).to.deep.equal([lookup]);
    expect(table.connectionIds()).to.deep.equal(["c1"]);
    expect(metrics.flushes).to.deep.equal([[{ name: METRICS.handshakesAccepted, value: 1, reason: undefined }]]);
  });

  for (const offered of [null, "websocket-relay.raw", "websocket-relay.bearer.t", "websocket-relay.v2"]) {
    it(`answers 400 where raw clients are refused and the client offers ${offered ?? "nothing"}`, async () => {
      const { handle, table, metrics } = setUp();
      const message = "this relay requires a subprotocol that was not offered: offer websocket-relay.v1";
      expect(await handle(offered)).to.deep.equal({ statusCode: 400, message });
      expect(table.calls).to.deep.equal([]);
      expect(metrics.flushes[0]?.[0]).to.include({ name: METRICS.handshakesRefused, reason: "bad-request" });
    });
  }

  it("tells the connection whose session it takes over, once it has it", async () => {
    const { handle, table, connections, log } = setUp();
    table.put(older);
    connections.onPost = (connectionId) => {
      expect(table.calls).to.include("blockedUntil");
      expect(connectionId).to.equal("c0");
      return Promise.resolve({ result: "delivered" });
    };
    expect((await handle()).statusCode).to.equal(200);
    expect(connections.posts).to.deep.equal([{ connectionId: "c0", body: '{"type":"superseded"}' }]);
    expect(log.lines.map(({ event, connectionId }) => [event, connectionId])).to.deep.equal([
      ["superseded", "c0"],
      ["connected", "c1"],
    ]);
  });

  for (const result of ["gone", "throttled", "timeout", "network-error", "forbidden"] as const) {
    it(`answers 200 where that connection cannot be told: ${result}`, async () => {
      const { handle, table, connections, log } = setUp();
      table.put(older);
      connections.answers.set("c0", result);
      expect((await handle()).statusCode).to.equal(200);
      expect(log.lines[0]).to.include({ event: "superseded connection not notified", connectionId: "c0", result });
    });
  }

  it("gives that connection no more than a second", async () => {
    const { handle, table, connections } = setUp();
    table.put(older);
    connections.onPost = (_, __, signal) => {
      expect(signal?.aborted).to.equal(false);
      return new Promise((resolve) => signal?.addEventListener("abort", () => resolve({ result: "timeout" })));
    };
    const [original, limits] = [AbortSignal.timeout.bind(AbortSignal), [] as number[]];
    AbortSignal.timeout = (ms) => {
      limits.push(ms);
      return original(ms > 1_000 ? ms : 0);
    };
    try {
      expect((await handle()).statusCode).to.equal(200);
    } finally {
      AbortSignal.timeout = original;
    }
    expect(limits).to.deep.equal([7_000, 1_000]);
  });

  for (const [name, replaced] of [
    ["there was none", undefined],
    ["the session was its own already: the table was asked twice", { ...row, connectedAt: row.connectedAt }],
    ["it knows no envelopes", { ...older, subprotocol: undefined }],
  ] as const) {
    it(`tells no connection where ${name}`, async () => {
      const { handle, table, connections } = setUp();
      if (replaced) table.put(replaced);
      expect((await handle()).statusCode).to.equal(200);
      expect(connections.posts).to.deep.equal([]);
    });
  }

  it("answers 409 if a newer connection has the session, sends no notice and writes no lookup", async () => {
    const { handle, table, connections } = setUp();
    table.put(newer);
    expect((await handle()).statusCode).to.equal(409);
    expect([...table.rows.values()]).to.deep.equal([newer]);
    expect([...table.lookupItems]).to.deep.equal([]);
    expect(connections.posts).to.deep.equal([]);
  });

  it("answers 403 to a user who is blocked meanwhile, sends no notice and forgets lookup and session", async () => {
    const { handle, table, connections } = setUp();
    table.put(older);
    table.beforeCall = (name) => {
      if (name === "save") table.blocks.set("user#42", now / 1000 + 3_600);
      return Promise.resolve();
    };
    expect(await handle()).to.deep.equal({ statusCode: 403, message: "the user is blocked" });
    expect([...table.rows, ...table.lookupItems]).to.deep.equal([]);
    // The older one may still be open.
    expect(table.connectionIds()).to.deep.equal(["c0"]);
    expect(connections.posts).to.deep.equal([]);
  });

  for (const method of ["addLookup", "save"]) {
    it(`answers 500 where ${method} fails, and leaves nothing behind`, async () => {
      const { handle, table, items, connections } = setUp();
      table.failing.add(method);
      expect((await handle()).statusCode).to.equal(500);
      expect(items()).to.deep.equal([]);
      expect(connections.posts).to.deep.equal([]);
    });
  }

  for (const [name, markedUntil, written] of [
    ["was never connected", undefined, true],
    ["was connected more than a day ago", now / 1000 + 86_399, true],
    ["was connected within the last day", now / 1000 + 86_400, false],
  ] as const) {
    it(`marks the session for the retention and a day more: ${written}, where it ${name}`, async () => {
      const { handle, table } = setUp();
      const { callerId, context } = row;
      if (markedUntil !== undefined) await table.markers.mark({ callerId, context }, markedUntil);
      table.calls.length = 0;
      expect((await handle()).statusCode).to.equal(200);
      const until = written ? now / 1000 + 2 * 86_400 : markedUntil;
      expect([...table.marked.values()]).to.deep.equal([{ callerId, context, until }]);
      expect(table.calls.filter((name) => name === "mark")).to.have.length(written ? 1 : 0);
    });
  }

  it("answers 500 where the session cannot be marked, and leaves nothing behind: a message for all would miss it", async () => {
    const { handle, table, items } = setUp();
    table.failing.add("mark");
    expect((await handle()).statusCode).to.equal(500);
    expect(items()).to.deep.equal([]);
  });

  it("marks no session where the handshake is refused", async () => {
    const { handle, table } = setUp();
    table.put(newer);
    expect((await handle()).statusCode).to.equal(409);
    expect([...table.marked]).to.deep.equal([]);
  });

  it("tells no connection that it was superseded where the handshake then fails: it has its session back", async () => {
    const { handle, table, connections } = setUp();
    table.put(older);
    table.failing.add("mark");
    expect((await handle()).statusCode).to.equal(500);
    expect([...table.sessionRows.values()].flatMap(liveConnections).map((each) => each.connectionId)).to.deep.equal([
      "c0",
    ]);
    expect(connections.posts).to.deep.equal([]);
  });

  it("closes no connection where the newest gets the messages: its client would connect again", async () => {
    const { handle, table, connections } = setUp();
    table.put(older);
    await handle();
    expect(connections.closed).to.deep.equal([]);
  });

  it("logs no token", async () => {
    const { handle, log, table } = setUp();
    table.put(older);
    await handle("websocket-relay.v1, websocket-relay.bearer.secret");
    await handle("websocket-relay.bearer.secret");
    expect(log.lines).to.have.length(3);
    expect(log.text).not.to.contain("secret");
  });
});

describe("connect, where messages are replayed and raw clients are accepted", () => {
  const key = { callerId: "user#42", context: "chat#7" };
  const { subprotocol, ...rawRow } = row;

  function rawSetUp() {
    const requests: [SessionKey, string, string[]][] = [];
    const flushing = { fails: false };
    const set = setUp({
      flushRequests: {
        send: async ({ callerId, context }, connectionId) => {
          requests.push([{ callerId, context }, connectionId, [...set.table.calls]]);
          if (flushing.fails) throw new Error("the queue is down");
          return await Promise.resolve();
        },
      },
    });
    return { ...set, requests, flushing };
  }

  for (const [offered, answered] of [
    [null, undefined],
    ["websocket-relay.raw", "websocket-relay.raw"],
    ["websocket-relay.bearer.t, websocket-relay.raw", "websocket-relay.raw"],
    ["websocket-relay.bearer.t", "websocket-relay.bearer.t"],
  ] as const) {
    it(`answers ${answered ?? "no subprotocol"} where the client offers ${offered ?? "none"}, and asks for what it has missed`, async () => {
      const { handle, table, requests } = rawSetUp();
      const headers = answered && { "Sec-WebSocket-Protocol": answered };
      expect(await handle(offered)).to.deep.equal({
        statusCode: 200,
        ...(headers && { headers }),
        message: "connected",
      });
      const [session] = table.rows.values();
      expect(session).to.deep.equal(rawRow);
      expect(requests.map(([key, connectionId]) => [key, connectionId])).to.deep.equal([[key, "c1"]]);
      // Once the connection is live: otherwise the request would be for nothing.
      expect(requests[0]?.[2]).to.include.members(["save", "blockedUntil"]);
    });
  }

  it("prefers the protocol, and asks for nothing: such a client resumes", async () => {
    const { handle, requests, table } = rawSetUp();
    const headers = { "Sec-WebSocket-Protocol": "websocket-relay.v1" };
    expect(await handle("websocket-relay.raw, websocket-relay.v1")).to.deep.include({ statusCode: 200, headers });
    expect([...table.rows.values()]).to.deep.equal([{ ...rawRow, subprotocol }]);
    expect(requests).to.deep.equal([]);
  });

  it("answers 400 to any other subprotocol, and says what to offer", async () => {
    const { handle, requests } = rawSetUp();
    const message = "none of the offered subprotocols is supported: offer websocket-relay.v1 or websocket-relay.raw";
    expect(await handle("websocket-relay.v2")).to.deep.equal({ statusCode: 400, message });
    expect(requests).to.deep.equal([]);
  });

  it("answers 500 where the request cannot be sent, and leaves nothing behind: the client connects again", async () => {
    const { handle, items, flushing, log, metrics } = rawSetUp();
    flushing.fails = true;
    expect((await handle(null)).statusCode).to.equal(500);
    expect(items()).to.deep.equal([]);
    expect(log.lines[0]).to.include({ level: "error", event: "refused", errorMessage: "the queue is down" });
    expect(metrics.flushes[0]?.[0]).to.include({ name: METRICS.handshakesRefused, reason: "internal-error" });
  });

  it("asks for nothing where the handshake is refused", async () => {
    const { handle, table, requests } = rawSetUp();
    table.put(newer);
    expect((await handle(null)).statusCode).to.equal(409);
    expect(requests).to.deep.equal([]);
  });

  it("supersedes a client that speaks the protocol, which is told, and a raw one, which is not", async () => {
    for (const [other, posts] of [
      [older, 1],
      [{ ...rawRow, connectionId: "c0", connectedAt: older.connectedAt }, 0],
    ] as const) {
      const { handle, table, connections } = rawSetUp();
      table.put(other);
      expect((await handle(null)).statusCode).to.equal(200);
      expect(connections.posts).to.have.length(posts);
    }
  });
});
