import { expect } from "chai";
import type { Authenticator } from "../../../handlers/connect/auth/authenticate";
import { connect } from "../../../handlers/connect/connect";
import type { ClientRequest } from "../../../handlers/connect/clientRequest";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { METRICS } from "../../../handlers/metrics";
import { refusals } from "../../../handlers/connect/refusals";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation } from "../../support/events";
import { MemoryTable } from "../../support/memoryTable";

const now = 1_700_000_001_000;
const row = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
};
const lookup = {
  connectionId: "c1",
  connectedAt: row.connectedAt,
  expirationDate: row.expirationDate,
  session: { callerId: row.callerId, context: row.context },
};
const expiresAt = 1_700_000_600;

function handlerWith(
  authenticate: Authenticator["authenticate"] = () => Promise.resolve({ user: "42", expiresAt }),
  endSessionWithToken = false,
  places: Partial<Parameters<typeof connect>[0]> = {},
) {
  const table = new MemoryTable();
  const log = new RecordedLog();
  const metrics = new RecordedMetrics();
  const asked: ClientRequest[] = [];
  const handle = connect({
    authenticator: { authenticate: (handshake) => (asked.push(handshake), authenticate(handshake)) },
    sessions: table,
    userConnections: table,
    lookups: table.lookups,
    metrics,
    log,
    sessionTtlSeconds: 10_800,
    endSessionWithToken,
    now: () => now,
    ...places,
  });
  return {
    table,
    log,
    metrics,
    asked,
    handle: async (event = connectEvent({})) => {
      const { body, ...answer } = await handle(event, invocation());
      return { ...answer, ...(JSON.parse(body) as { message: string }) };
    },
  };
}

const counted = (reason: string) => [[{ name: METRICS.handshakesRefused, value: 1, reason }]];

describe("connect", () => {
  it("saves lookup and session, in this order and between two looks at the block, and answers 200", async () => {
    const { handle, table, metrics, log } = handlerWith();
    expect(await handle()).to.deep.equal({ statusCode: 200, message: "connected" });
    expect(table.calls).to.deep.equal(["readForConnect", "addLookup", "save", "blockedUntil"]);
    expect([...table.rows.values()]).to.deep.equal([row]);
    expect([...table.lookupItems.values()]).to.deep.equal([lookup]);
    expect(metrics.flushes).to.deep.equal([[{ name: METRICS.handshakesAccepted, value: 1, reason: undefined }]]);
    expect(log.lines).to.deep.equal([
      {
        level: "info",
        event: "connected",
        connectionId: "c1",
        requestId: "r1",
        callerId: "user#42",
        context: "chat#7",
      },
    ]);
  });

  it("saves when the token ends, where the session is to end with it", async () => {
    const { handle, table } = handlerWith(undefined, true);
    expect((await handle()).statusCode).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([{ ...row, tokenExpiresAt: expiresAt }]);
    expect([...table.lookupItems.values()]).to.deep.equal([{ ...lookup, tokenExpiresAt: expiresAt }]);
  });

  it("saves no expiry if it is unknown", async () => {
    const { handle, table } = handlerWith(() => Promise.resolve({ user: "42" }), true);
    expect((await handle()).statusCode).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([row]);
    expect([...table.lookupItems.values()]).to.deep.equal([lookup]);
  });

  it("answers the subprotocol only with 200", async () => {
    const { handle, table } = handlerWith();
    const event = connectEvent({
      headers: { "Sec-WebSocket-Protocol": "websocket-relay.bearer.t, websocket-relay.raw" },
    });
    const headers = { "Sec-WebSocket-Protocol": "websocket-relay.raw" };
    expect(await handle(event)).to.deep.equal({ statusCode: 200, headers, message: "connected" });
    table.blocks.set("user#42", now);
    expect(await handle(event)).not.to.have.property("headers");
  });

  it("replaces the session of an older connection, which stays in the row", async () => {
    const { handle, table } = handlerWith();
    table.put({ ...row, connectionId: "c0", connectedAt: row.connectedAt - 1 });
    expect((await handle()).statusCode).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([row]);
    expect(table.connectionIds()).to.deep.equal(["c0", "c1"]);
  });

  it("answers 409 and leaves the session to a newer connection, before anything is written", async () => {
    const { handle, table, metrics, log } = handlerWith();
    const newer = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 };
    table.put(newer);
    expect(await handle()).to.deep.equal({ statusCode: 409, message: "a newer connection has this session" });
    expect(table.calls).to.deep.equal(["readForConnect"]);
    expect([...table.rows.values()]).to.deep.equal([newer]);
    expect(metrics.flushes).to.deep.equal(counted("superseded"));
    expect(log.lines[0]).to.include({ level: "warn", event: "refused", connectionId: "c1", callerId: "user#42" });
  });

  it("answers 409 if a newer connection takes the session meanwhile, and forgets its own", async () => {
    const { handle, table, metrics } = handlerWith();
    const newer = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 };
    table.beforeCall = (name) => {
      if (name === "save") table.put(newer);
      return Promise.resolve();
    };
    expect((await handle()).statusCode).to.equal(409);
    expect([...table.rows.values()]).to.deep.equal([newer]);
    expect(table.connectionIds()).to.deep.equal(["c2"]);
    expect([...table.lookupItems]).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal(counted("superseded"));
  });

  for (const [name, event, message] of [
    ["a query", connectEvent({ query: null }), "the query parameter context is missing"],
    [
      "a supported subprotocol",
      connectEvent({ headers: { "sec-websocket-protocol": "chat" } }),
      "none of the offered subprotocols is supported: offer websocket-relay.raw",
    ],
  ] as const) {
    it(`answers 400 without ${name}, before anything is asked`, async () => {
      const { handle, asked, table, metrics } = handlerWith();
      expect(await handle(event)).to.deep.equal({ statusCode: 400, message });
      expect(asked).to.deep.equal([]);
      expect(table.calls).to.deep.equal([]);
      expect(metrics.flushes).to.deep.equal(counted("bad-request"));
    });
  }

  for (const refused of [
    refusals.badRequest("the query parameter user is missing"),
    refusals.noCredential("there is no token"),
    refusals.notAccepted("Token expired"),
    refusals.originNotAllowed(),
  ]) {
    const { statusCode, reason, message, detail = message } = refused;
    it(`answers ${statusCode} where the authenticator refuses with ${reason}, and saves nothing`, async () => {
      const { handle, table, metrics, log } = handlerWith(() => Promise.resolve({ refused }));
      expect(await handle()).to.deep.equal({ statusCode, message });
      expect(table.calls).to.deep.equal([]);
      expect(metrics.flushes).to.deep.equal(counted(reason));
      expect(log.lines).to.have.length(1);
      expect(log.lines[0]).to.include({ level: "warn", requestId: "r1", statusCode, reason, detail });
    });
  }

  it("answers 401 for a user that is no key, and tells the log why, not the client", async () => {
    const { handle, table, log, metrics } = handlerWith(() => Promise.resolve({ user: "u".repeat(2048) }));
    expect(await handle()).to.deep.equal({ statusCode: 401, message: "the credential is not accepted" });
    expect(log.text).to.contain("2053 bytes");
    expect(table.calls).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal(counted("token-refused"));
  });

  it("answers 500 where the user cannot be told, and tells the log why, not the client", async () => {
    const { handle, table, log, metrics } = handlerWith(() => Promise.reject(new Error("keys down")));
    expect(await handle()).to.deep.equal({ statusCode: 500, message: "the connection could not be checked or saved" });
    expect(log.lines[0]).to.include({ level: "error", event: "refused", errorMessage: "keys down", requestId: "r1" });
    expect(table.calls).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal(counted("internal-error"));
  });

  it("answers 403 to a user who is blocked, and saves nothing", async () => {
    const { handle, table, metrics } = handlerWith();
    table.blocks.set("user#42", now / 1000 + 1);
    expect(await handle()).to.deep.equal({ statusCode: 403, message: "the user is blocked" });
    expect(table.calls).to.deep.equal(["readForConnect"]);
    expect(metrics.flushes).to.deep.equal(counted("user-blocked"));
  });

  it("takes a block that has passed for none: the table deletes it days later", async () => {
    const { handle, table } = handlerWith();
    table.blocks.set("user#42", now / 1000);
    expect((await handle()).statusCode).to.equal(200);
  });

  it("answers 403 to a user who is blocked meanwhile, and forgets lookup and session", async () => {
    const { handle, table, metrics } = handlerWith();
    table.beforeCall = (name) => {
      if (name === "save") table.blocks.set("user#42", now / 1000 + 3_600);
      return Promise.resolve();
    };
    expect((await handle()).statusCode).to.equal(403);
    expect([...table.sessionRows, ...table.lookupItems]).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal(counted("user-blocked"));
  });

  it("leaves the session of a newer connection alone where the user is blocked meanwhile", async () => {
    const { handle, table } = handlerWith();
    const newer = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 };
    table.beforeCall = (name) => {
      if (name !== "blockedUntil" || table.calls.length === 0) return Promise.resolve();
      table.put(newer);
      table.blocks.set("user#42", now / 1000 + 3_600);
      return Promise.resolve();
    };
    expect((await handle()).statusCode).to.equal(403);
    expect([...table.rows.values()]).to.deep.equal([newer]);
  });

  for (const [method, calls] of [
    ["readForConnect", ["readForConnect"]],
    ["addLookup", ["readForConnect", "addLookup", "removeConnection", "removeLookup"]],
    ["save", ["readForConnect", "addLookup", "save", "removeConnection", "removeLookup"]],
  ] as const) {
    it(`answers 500 where ${method} fails, and leaves nothing behind`, async () => {
      const { handle, table, log, metrics } = handlerWith();
      table.failing.add(method);
      expect((await handle()).statusCode).to.equal(500);
      expect(table.calls).to.deep.equal(calls);
      expect([...table.sessionRows, ...table.lookupItems]).to.deep.equal([]);
      expect(log.lines.map(({ level, event }) => `${level} ${event}`)).to.deep.equal(["error refused"]);
      expect(metrics.flushes).to.deep.equal(counted("internal-error"));
    });
  }

  it("answers 500 where the second look at the block fails, and forgets lookup and session", async () => {
    const { handle, table } = handlerWith();
    table.beforeCall = (name) => {
      if (name === "save") table.failing.add("blockedUntil");
      return Promise.resolve();
    };
    expect((await handle()).statusCode).to.equal(500);
    expect([...table.sessionRows, ...table.lookupItems]).to.deep.equal([]);
  });

  for (const [statusCode, failing, blocked, event] of [
    [409, [], false, "refused"],
    [403, [], true, "refused"],
    [500, ["save"], false, "refused"],
  ] as const) {
    it(`answers ${statusCode} all the same where cleaning up fails, and logs that`, async () => {
      const { handle, table, log, metrics } = handlerWith();
      for (const method of ["removeConnection", "removeLookup", ...failing]) table.failing.add(method);
      table.beforeCall = (name) => {
        if (statusCode === 409 && name === "save") table.put({ ...row, connectionId: "c2" });
        if (blocked && name === "save") table.blocks.set("user#42", now / 1000 + 1);
        return Promise.resolve();
      };
      expect((await handle()).statusCode).to.equal(statusCode);
      const events = log.lines.map((line) => line.event);
      expect(events).to.deep.equal(["not cleaned up", "not cleaned up", event]);
      expect(log.lines[0]).to.include({ level: "error", connectionId: "c1", errorMessage: "removeConnection fails" });
      expect(metrics.flushes).to.have.length(1);
    });
  }

  it("has the newest connection as the only live one without another setting", async () => {
    const { handle, table } = handlerWith();
    for (const connectionId of ["c0", "c2"]) table.put({ ...row, connectionId, connectedAt: 1 }, "all");
    await handle();
    expect([...table.sessionRows.values()].flatMap(liveConnections)).to.deep.equal([row]);
  });

  it("logs no token, accepted or refused", async () => {
    const headers = {
      authorization: "Bearer secret",
      cookie: "token=secret",
      "sec-websocket-protocol": "websocket-relay.bearer.secret",
    };
    const { handle, log, table } = handlerWith();
    const event = connectEvent({ headers });
    expect((await handle(event)).statusCode).to.equal(200);
    table.failing.add("save");
    expect((await handle(event)).statusCode).to.equal(500);
    table.blocks.set("user#42", now);
    expect((await handle(event)).statusCode).to.equal(403);
    expect(log.lines).to.have.length(3);
    expect(log.text).not.to.contain("secret");
  });
});

describe("connect, where all connections of a session get its messages", () => {
  const old = now - 60_000;
  const v1 = { subprotocol: "websocket-relay.v1" };

  /** `others` are in the session's row already, and `gone` are the ids of those that have ended. */
  function allWith(others: Partial<Session>[], gone: readonly string[] = [], notifies = false) {
    const connections = new MemoryConnections();
    connections.isGone = (connectionId) => {
      connections.asked.push(connectionId);
      return Promise.resolve(gone.includes(connectionId));
    };
    connections.close = (connectionId) => {
      connections.closed.push(connectionId);
      return Promise.resolve(gone.includes(connectionId) ? "gone" : "closed");
    };
    const { table, ...rest } = handlerWith(undefined, false, { connections, connectionsOfSession: "all", notifies });
    for (const other of others) table.put({ ...row, connectedAt: old, ...other }, "all");
    const live = () => [...table.sessionRows.values()].flatMap(liveConnections).map((each) => each.connectionId);
    return { table, connections, live, ...rest };
  }

  const ten = (more: Partial<Session> = {}) =>
    Array.from({ length: 10 }, (_, index) => ({ connectionId: `t${index}`, connectedAt: old - index, ...more }));
  const idsOf = (sessions: Partial<Session>[]) => sessions.map(({ connectionId = "" }) => connectionId);

  it("adds the connection to those that the session has, and asks the gateway nothing", async () => {
    const nine = ten().slice(1);
    const { handle, table, connections, live } = allWith(nine);
    expect((await handle()).statusCode).to.equal(200);
    expect(live()).to.have.members(["c1", ...idsOf(nine)]);
    expect(table.calls).to.deep.equal(["readForConnect", "addLookup", "save", "blockedUntil"]);
    expect([connections.asked, connections.posts, connections.closed]).to.deep.equal([[], [], []]);
  });

  it("adds a connection that arrives after a newer one", async () => {
    const { handle, live } = allWith([{ connectionId: "newer", connectedAt: row.connectedAt + 1 }]);
    expect((await handle()).statusCode).to.equal(200);
    expect(live()).to.deep.equal(["newer", "c1"]);
  });

  it("gives an eleventh connection the place of one that has ended, before another one loses its own", async () => {
    const { handle, table, connections, live, log } = allWith(ten(v1), ["t4"]);
    expect((await handle()).statusCode).to.equal(200);
    expect(live()).to.have.members(["c1", ...idsOf(ten()).filter((id) => id !== "t4")]);
    expect(table.connectionIds()).not.to.include("t4");
    expect(connections.asked).to.have.members(idsOf(ten()));
    expect(connections.posts).to.deep.equal([]);
    expect(log.lines[0]).to.include({ event: "removed a connection that is gone", connectionId: "t4" });
  });

  for (const notifies of [true, false]) {
    it(`closes the oldest connection that speaks the protocol, where ten are open; told before: ${notifies}`, async () => {
      const others = [{ connectionId: "raw", connectedAt: old - 10 }, ...ten(v1).slice(1)];
      const { handle, table, connections, live } = allWith(others, [], notifies);
      expect((await handle()).statusCode).to.equal(200);
      expect(live()).to.have.members(["c1", ...idsOf(others).filter((id) => id !== "t9")]);
      expect(table.connectionIds()).to.include("t9");
      expect(connections.posts).to.deep.equal(notifies ? [{ connectionId: "t9", body: '{"type":"superseded"}' }] : []);
      expect(connections.closed).to.deep.equal(["t9"]);
    });
  }

  it("answers 409 to an eleventh connection where ten raw ones are open, before anything is written", async () => {
    const { handle, table, connections, metrics, live } = allWith(ten());
    expect(await handle()).to.deep.equal({
      statusCode: 409,
      message: "the session has ten connections, and none of them can be superseded: close one",
    });
    expect(live()).to.have.members(idsOf(ten()));
    expect(table.calls).to.deep.equal(["readForConnect"]);
    expect([connections.posts, connections.closed]).to.deep.equal([[], []]);
    expect(metrics.flushes).to.deep.equal(counted("too-many-connections"));
  });

  it("answers 409 where the tenth comes meanwhile, and forgets its own", async () => {
    const { handle, table, metrics } = allWith(ten().slice(1));
    table.beforeCall = (name) => {
      if (name === "save") table.put({ ...row, connectionId: "t0", connectedAt: old }, "all");
      return Promise.resolve();
    };
    expect((await handle()).statusCode).to.equal(409);
    expect(table.connectionIds()).to.deep.equal(idsOf(ten()));
    expect([...table.lookupItems]).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal(counted("too-many-connections"));
  });

  it("keeps connections that are younger than a minute, and may just be opening", async () => {
    const young = ten({ connectedAt: old + 1 });
    const { handle, connections } = allWith(young, idsOf(young));
    expect((await handle()).statusCode).to.equal(409);
    expect(connections.asked).to.deep.equal([]);
  });

  it("closes a connection that the gateway has called gone, and was open", async () => {
    const { handle, connections, log } = allWith(ten({ connectedAt: old }), ["t0"]);
    connections.close = (connectionId) => {
      connections.closed.push(connectionId);
      return Promise.resolve("closed");
    };
    expect((await handle()).statusCode).to.equal(200);
    expect(connections.closed).to.deep.equal(["t0"]);
    expect(log.lines[0]).to.include({ level: "warn", event: "closed a connection that the gateway had called gone" });
  });

  for (const method of ["isGone", "close"] as const) {
    it(`keeps a connection where ${method} fails, and logs that`, async () => {
      const { handle, connections, log } = allWith(ten({ connectedAt: old }), ["t0"]);
      const fails = () => Promise.reject(new Error(`${method} fails`));
      Object.assign(connections, { [method]: fails });
      expect((await handle()).statusCode).to.equal(409);
      expect(log.lines[0]).to.include({ level: "warn", event: "connection kept: it could not be checked" });
    });
  }

  for (const [name, failing] of [
    ["cannot be told", (connections: MemoryConnections) => connections.answers.set("t9", "throttled")],
    ["cannot be closed", (connections: MemoryConnections) => (connections.closeFails = true)],
  ] as const) {
    it(`answers 200 where the connection that loses its place ${name}`, async () => {
      const connections = new MemoryConnections();
      connections.gone = false;
      failing(connections);
      const places = { connections, connectionsOfSession: "all", notifies: true } as const;
      const { handle, table, log } = handlerWith(undefined, false, places);
      for (const each of ten({ ...v1 })) table.put({ ...row, ...each }, "all");
      expect((await handle()).statusCode).to.equal(200);
      expect(connections.closed).to.deep.equal(["t9"]);
      expect(log.text).to.match(/superseded connection not (notified|closed)/);
    });
  }

  it("gives the checks two seconds together, and the notice and the closing a second each", async () => {
    const { handle, connections } = allWith(ten({ ...v1, connectedAt: old }), [], true);
    const ended = (signal?: AbortSignal) =>
      new Promise<void>((resolve) =>
        signal?.aborted ? resolve() : signal?.addEventListener("abort", () => resolve()),
      );
    connections.isGone = async (_: string, signal?: AbortSignal) => {
      await ended(signal);
      throw new Error("aborted");
    };
    connections.onPost = async (_, __, signal) => {
      await ended(signal);
      return { result: "timeout" };
    };
    connections.close = async (_: string, signal?: AbortSignal) => {
      await ended(signal);
      throw new Error("aborted");
    };
    const [original, limits] = [AbortSignal.timeout.bind(AbortSignal), [] as number[]];
    AbortSignal.timeout = (ms) => {
      limits.push(ms);
      return original(ms > 2_000 ? ms : 0);
    };
    try {
      expect((await handle()).statusCode).to.equal(200);
    } finally {
      AbortSignal.timeout = original;
    }
    expect(limits).to.deep.equal([7_000, 2_000, 1_000, 1_000]);
  });
});
