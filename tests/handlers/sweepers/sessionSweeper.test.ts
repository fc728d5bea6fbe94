import { expect } from "chai";
import type { ConnectionsClient } from "../../../handlers/connections/connectionsClient";
import { METRICS } from "../../../handlers/metrics";
import { sessionSweeper } from "../../../handlers/sweepers/sessionSweeper";
import { INDEX_SHARDS, type UserConnection } from "../../../handlers/connections/connectionItems";
import type { ConnectionLookup } from "../../../handlers/connections/connectionLookups";
import { refusal } from "../../support/refusal";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import { MemoryTable } from "../../support/memoryTable";

const now = 1_700_000_600_000;

/** A connection that was opened ten minutes ago and whose token ends just now. */
function connectionOf(connectionId: string, given: Partial<UserConnection> = {}): UserConnection {
  return {
    callerId: `user#${connectionId}`,
    connectionId,
    context: "chat#7",
    connectedAt: now - 600_000,
    expirationDate: now / 1000 + 9_000,
    tokenExpiresAt: now / 1000,
    ...given,
  };
}

function lookupOf({ callerId, context, ...own }: UserConnection): ConnectionLookup {
  return { ...own, session: { callerId, context } };
}

function sweepWith(...connections: UserConnection[]) {
  const table = new MemoryTable();
  const gateway = new MemoryConnections();
  const log = new RecordedLog();
  const metrics = new RecordedMetrics();
  for (const connection of connections) {
    const { context, ...own } = connection;
    table.putLookup(lookupOf(connection));
    table.put({ ...own, context });
  }
  const handle = sessionSweeper({
    index: table,
    lookups: table.lookups,
    sessions: table,
    connections: gateway,
    log,
    metrics,
    now: () => now,
  });
  const run = (remainingMs = 60_000) => handle({}, { getRemainingTimeInMillis: () => remainingMs });
  return { table, gateway, log, metrics, run };
}

const none = { ended: 0, gone: 0, left: 0, failed: 0 };
const ended = (value: number) =>
  Array.from({ length: value }, () => ({ name: METRICS.sessionsEnded, value: 1, reason: undefined }));

describe("sweep", () => {
  it("closes the connections whose token has ended, in every shard, and clears their items and sessions", async () => {
    const connections = Array.from({ length: 100 }, (_, i) => connectionOf(`c${i}`));
    const { table, gateway, metrics, log, run } = sweepWith(...connections);
    expect(await run()).to.deep.equal({ ...none, ended: 100 });
    expect(gateway.closed).to.have.members(connections.map(({ connectionId }) => connectionId));
    expect([...table.sessionRows, ...table.lookupItems]).to.deep.equal([]);
    expect(metrics.flushes).to.deep.equal([ended(100)]);
    expect(log.lines.at(-1)).to.include({ level: "info", event: "sessions swept", ended: 100, outOfTime: false });
  });

  it("leaves the other live connections of a session, whose tokens hold", async () => {
    const ofOneSession = { callerId: "user#42" };
    const { table, gateway, run } = sweepWith(connectionOf("c1", ofOneSession));
    const { context, ...holding } = connectionOf("c2", { ...ofOneSession, tokenExpiresAt: now / 1000 + 1 });
    table.putLookup(lookupOf({ ...holding, context }));
    table.put({ ...holding, context }, "all");
    expect(await run()).to.deep.equal({ ...none, ended: 1 });
    expect(gateway.closed).to.deep.equal(["c1"]);
    expect([...table.sessionRows.values()].map(liveConnections)).to.deep.equal([[{ ...holding, context }]]);
    expect([...table.lookupItems.keys()]).to.deep.equal(["c2"]);
  });

  it("leaves a connection alone whose token holds, or has no end", async () => {
    const holding = [
      connectionOf("c1", { tokenExpiresAt: now / 1000 + 1 }),
      connectionOf("c2", { tokenExpiresAt: undefined }),
    ];
    const { table, gateway, metrics, run } = sweepWith(...holding);
    expect(await run()).to.deep.equal(none);
    expect(gateway.closed).to.deep.equal([]);
    expect(table.connectionIds()).to.deep.equal(["c1", "c2"]);
    expect(metrics.flushes).to.deep.equal([[]]);
  });

  it("leaves the session of a newer connection alone", async () => {
    const { table, run } = sweepWith(connectionOf("c1"));
    const newer = { callerId: "user#c1", context: "chat#7", connectionId: "c2", connectedAt: now, expirationDate: now };
    table.put(newer);
    expect(await run()).to.deep.equal({ ...none, ended: 1 });
    expect([...table.rows.values()]).to.deep.equal([newer]);
    expect(table.connectionIds()).to.deep.equal(["c2"]);
    expect([...table.lookupItems]).to.deep.equal([]);
  });

  for (const [ageMs, result] of [
    [59_999, "left"],
    [60_000, "gone"],
  ] as const) {
    it(`takes a connection that is gone after ${ageMs} ms for ${result}`, async () => {
      const { table, gateway, metrics, run } = sweepWith(connectionOf("c1", { connectedAt: now - ageMs }));
      gateway.close = () => Promise.resolve("gone");
      expect(await run()).to.deep.equal({ ...none, [result]: 1 });
      expect(table.rows.size).to.equal(result === "left" ? 1 : 0);
      expect(table.lookupItems.size).to.equal(result === "left" ? 1 : 0);
      expect(metrics.flushes).to.deep.equal([[]]);
    });
  }

  for (const [name, current] of [
    ["is not there any more", undefined],
    ["has another token", { ...lookupOf(connectionOf("c1")), tokenExpiresAt: now / 1000 + 60 }],
  ] as const) {
    it(`closes no connection that the lagging index still shows, but that ${name}`, async () => {
      const { table, gateway, run } = sweepWith(connectionOf("c1"));
      table.lookups.read = () => Promise.resolve(current);
      expect(await run()).to.deep.equal({ ...none, left: 1 });
      expect(gateway.closed).to.deep.equal([]);
    });
  }

  for (const method of ["readLookup", "close", "removeConnection"] as const) {
    it(`does the rest where ${method} fails for one connection, and leaves that one to the next time`, async () => {
      const { table, gateway, log, run } = sweepWith(connectionOf("c1"), connectionOf("c2"), connectionOf("c3"));
      const close = gateway.close.bind(gateway);
      const { read } = table.lookups;
      const { removeConnection } = MemoryTable.prototype;
      const faulty = (one: string) => one === "c2";
      if (method === "close") {
        gateway.close = async (id) => (faulty(id) ? await Promise.reject(new Error("down")) : await close(id));
      } else if (method === "readLookup") {
        table.lookups.read = async (id) => (faulty(id) ? await Promise.reject(new Error("down")) : await read(id));
      } else {
        table.removeConnection = async (key, id) =>
          faulty(id) ? await Promise.reject(new Error("down")) : await removeConnection.call(table, key, id);
      }
      expect(await run()).to.deep.equal({ ...none, ended: 2, failed: 1 });
      expect(table.connectionIds()).to.deep.equal(["c2"]);
      expect(log.lines.filter(({ level }) => level === "error")).to.have.length(1);
      expect(log.text).to.contain("down");
    });
  }

  it("counts a session as ended where its connection was closed, though not cleared", async () => {
    const { table, metrics, run } = sweepWith(connectionOf("c1"));
    table.failing.add("removeConnection");
    expect(await run()).to.deep.equal({ ...none, failed: 1 });
    expect(metrics.flushes).to.deep.equal([ended(1)]);
  });

  it("keeps the lookup where the session cannot be cleared, so that both are found again", async () => {
    const { table, gateway, run } = sweepWith(connectionOf("c1"));
    table.failing.add("removeConnection");
    await run();
    expect([table.rows.size, table.lookupItems.size]).to.deep.equal([1, 1]);
    table.failing.clear();
    gateway.close = () => Promise.resolve("gone");
    expect(await run()).to.deep.equal({ ...none, gone: 1 });
    expect([table.rows.size, table.lookupItems.size]).to.deep.equal([0, 0]);
  });

  it("sweeps the other shards where one cannot be read, and throws then, so that the alarm tells", async () => {
    const connections = Array.from({ length: 100 }, (_, i) => connectionOf(`c${i}`));
    const { table, metrics, log, run } = sweepWith(...connections);
    table.failing.add("findExpired 3");
    expect((await refusal(run())).message).to.equal("the index by token expiry could not be read: shards 3");
    expect(table.lookupItems.size).to.be.within(1, 40);
    expect(metrics.flushes).to.deep.equal([ended(100 - table.lookupItems.size)]);
    expect(log.lines).to.deep.include({
      level: "error",
      event: "shard not read",
      shard: "3",
      error: "Error",
      errorMessage: "findExpired 3 fails",
      cause: undefined,
      httpStatusCode: undefined,
      awsRequestId: undefined,
    });
  });

  it("begins nothing where its time is up", async () => {
    const { table, gateway, log, run } = sweepWith(connectionOf("c1"), connectionOf("c2"));
    expect(await run(2_000)).to.deep.equal({ ...none, left: 2 });
    expect(gateway.closed).to.deep.equal([]);
    expect(table.lookupItems.size).to.equal(2);
    expect(log.lines).to.deep.include({ level: "info", event: "sessions swept", ...none, left: 2, outOfTime: true });
  });

  it("stops what is under way when its time is up, and answers", async () => {
    const { gateway, run } = sweepWith(connectionOf("c1"));
    const hanging: Pick<ConnectionsClient, "close"> = gateway;
    hanging.close = (_, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    expect(await run(2_001)).to.deep.equal({ ...none, failed: 1 });
  });

  it("is content where time is up while a shard is read", async () => {
    const { table, run } = sweepWith();
    for (const shard of INDEX_SHARDS) table.failing.add(`findExpired ${shard}`);
    expect(await run(0)).to.deep.equal(none);
  });

  it("has at most 25 connections in hand at a time", async () => {
    const { gateway, run } = sweepWith(...Array.from({ length: 200 }, (_, i) => connectionOf(`c${i}`)));
    let [underWay, most] = [0, 0];
    gateway.close = async () => {
      most = Math.max(most, (underWay += 1));
      await new Promise(setImmediate);
      underWay -= 1;
      return "closed";
    };
    expect(await run()).to.deep.equal({ ...none, ended: 200 });
    expect(most).to.equal(25);
  });
});
