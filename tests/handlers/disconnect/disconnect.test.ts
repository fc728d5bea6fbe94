import { expect } from "chai";
import type { ConnectionIndex } from "../../../handlers/connections/connectionIndex";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import { RecordedLog } from "../../support/boundaries";
import { MemoryTable } from "../../support/memoryTable";

const row = { callerId: "user#42", context: "chat#7", connectionId: "c1", connectedAt: 1, expirationDate: 2 };
const key = { callerId: row.callerId, context: row.context };
const requestContext = { connectionId: "c1", requestId: "r1" };

function setUp(index?: ConnectionIndex) {
  const table = new MemoryTable();
  const log = new RecordedLog();
  const handle = disconnect({ sessions: table, lookups: table.lookups, index, log });
  const open = (connectionId = "c1", connectedAt = 1, ending: { tokenExpiresAt?: number } = {}) => {
    table.put({ ...row, connectionId, connectedAt });
    table.putLookup({ connectionId, connectedAt, expirationDate: 2, session: key, ...ending });
  };
  return { table, log, open, run: async () => (await handle({ requestContext })).statusCode };
}

/** An index that shows these rows, and counts how often it is asked. */
function indexOf(...keys: (typeof key)[]) {
  const asked: string[] = [];
  const find = (connectionId: string) => (asked.push(connectionId), Promise.resolve(keys));
  return { asked, find };
}

describe("disconnect", () => {
  it("deletes the connection's session, logs how many it had, and leaves the lookup to the table's TTL", async () => {
    const { table, log, open, run } = setUp();
    open();
    expect(await run()).to.equal(200);
    expect(table.calls).to.deep.equal(["readLookup", "removeConnection"]);
    expect([...table.sessionRows]).to.deep.equal([]);
    expect([...table.lookupItems.keys()]).to.deep.equal(["c1"]);
    expect(log.lines).to.deep.equal([{ level: "info", event: "disconnected", ...requestContext, sessions: 1 }]);
  });

  it("deletes the lookup, too, if the session ends with its token: after the session, for the sweeper finds it by the lookup", async () => {
    const { table, open, run } = setUp();
    open("c1", 1, { tokenExpiresAt: 2 });
    expect(await run()).to.equal(200);
    expect(table.calls).to.deep.equal(["readLookup", "removeConnection", "removeLookup"]);
    expect([...table.sessionRows, ...table.lookupItems]).to.deep.equal([]);
  });

  it("does nothing the second time for one connection", async () => {
    const { table, open, run } = setUp();
    open();
    await run();
    open("c2", 2);
    expect(await run()).to.equal(200);
    expect(table.connectionIds()).to.deep.equal(["c2"]);
  });

  it("leaves the session to a newer connection, removes its own from the row and logs that it had none", async () => {
    const { table, log, open, run } = setUp();
    open();
    open("c2", 2);
    expect(await run()).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([{ ...row, connectionId: "c2", connectedAt: 2 }]);
    expect(table.connectionIds()).to.deep.equal(["c2"]);
    expect(log.lines).to.deep.equal([{ level: "info", event: "disconnected", ...requestContext, sessions: 0 }]);
  });

  it("leaves the other live connections of its session, and logs that it was one of them", async () => {
    const { table, log, open, run } = setUp();
    open();
    for (const connectedAt of [0, 2]) table.put({ ...row, connectionId: `c${connectedAt}x`, connectedAt }, "all");
    expect(await run()).to.equal(200);
    const [left] = [...table.sessionRows.values()].map(liveConnections);
    expect(left?.map(({ connectionId }) => connectionId)).to.deep.equal(["c2x", "c0x"]);
    expect(log.lines[0]).to.include({ event: "disconnected", sessions: 1 });
  });

  it("ends the session if it is the newest connection's, and keeps superseded ones in the row", async () => {
    const { table, open, run } = setUp();
    open("c0", 0);
    open();
    expect(await run()).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([]);
    expect(table.connectionIds()).to.deep.equal(["c0"]);
  });

  it("answers 200 for a connection that is not known, and asks no index without one", async () => {
    const { table, run } = setUp();
    table.put(row);
    expect(await run()).to.equal(200);
    expect(table.connectionIds()).to.deep.equal(["c1"]);
  });

  it("asks no index for a connection that has a lookup", async () => {
    const index = indexOf(key);
    const { open, run } = setUp(index);
    open();
    expect(await run()).to.equal(200);
    expect(index.asked).to.deep.equal([]);
  });

  it("finds the sessions of a connection that was opened under 0.1.0 by the index", async () => {
    const index = indexOf(key, { ...key, context: "chat#9" });
    const { table, log, run } = setUp(index);
    const other = { ...row, context: "chat#8", connectionId: "c2" };
    for (const session of [row, { ...row, context: "chat#9" }, other]) table.put(session);
    expect(await run()).to.equal(200);
    expect(index.asked).to.deep.equal(["c1"]);
    expect([...table.rows.values()]).to.deep.equal([other]);
    expect(log.lines).to.deep.equal([{ level: "info", event: "disconnected", ...requestContext, sessions: 2 }]);
  });

  it("changes nothing where the index still shows a session that has a newer connection", async () => {
    const { table, run } = setUp(indexOf(key));
    const newer = { ...row, connectionId: "c2" };
    table.put(newer);
    expect(await run()).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([newer]);
  });

  it("deletes the rest where one session cannot be deleted, and answers 500", async () => {
    const keys = ["chat#7", "chat#8", "chat#9"].map((context) => ({ ...key, context }));
    const { table, run } = setUp(indexOf(...keys));
    for (const each of keys) table.put({ ...row, ...each });
    const { removeConnection } = MemoryTable.prototype;
    table.removeConnection = async (each, connectionId) =>
      each.context === "chat#7"
        ? await Promise.reject(new Error("throttled"))
        : await removeConnection.call(table, each, connectionId);
    expect(await run()).to.equal(500);
    expect([...table.rows.values()].map(({ context }) => context)).to.deep.equal(["chat#7"]);
  });

  for (const [method, fails] of [
    ["readLookup", ({ table }) => table.failing.add("readLookup")],
    ["removeLookup", ({ table }) => table.failing.add("removeLookup")],
    ["removeConnection", ({ table }) => table.failing.add("removeConnection")],
  ] as [string, (given: ReturnType<typeof setUp>) => unknown][]) {
    it(`logs and answers 500 where ${method} fails`, async () => {
      const given = setUp();
      given.open("c1", 1, { tokenExpiresAt: 2 });
      fails(given);
      expect(await given.run()).to.equal(500);
      expect(given.log.lines).to.deep.include({
        level: "error",
        event: "disconnect failed",
        ...requestContext,
        error: "Error",
        errorMessage: `${method} fails`,
        cause: undefined,
        httpStatusCode: undefined,
        awsRequestId: undefined,
      });
    });
  }

  it("logs and answers 500 where the index fails", async () => {
    const { log, run } = setUp({ find: () => Promise.reject(new Error("find fails")) });
    expect(await run()).to.equal(500);
    expect(log.lines[0]).to.include({ event: "disconnect failed", errorMessage: "find fails" });
  });
});
