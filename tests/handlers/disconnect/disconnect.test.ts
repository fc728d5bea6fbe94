import { expect } from "chai";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { MemorySessions, RecordedLog } from "../../support/boundaries";
import { MemoryTable } from "../../support/memoryTable";

const row = { callerId: "user#42", context: "chat#7", connectionId: "c1", connectedAt: 1, expirationDate: 2 };

describe("disconnect", () => {
  it("deletes the sessions of its own connection only", async () => {
    const sessions = new MemorySessions();
    const other = { ...row, context: "chat#8", connectionId: "c2" };
    for (const session of [row, { ...row, context: "chat#9" }, other]) sessions.put(session);
    const { statusCode } = await disconnect({ sessions, log: new RecordedLog() })({
      requestContext: { connectionId: "c1", requestId: "r1" },
    });
    expect(statusCode).to.equal(200);
    expect([...sessions.rows.values()]).to.deep.equal([other]);
  });

  it("deletes the connection's own item too, and logs the sessions that it found", async () => {
    const table = new MemoryTable();
    const log = new RecordedLog();
    const { context: sessionContext, ...own } = row;
    table.put(row);
    table.putConnection({ ...own, sessionContext });
    table.putConnection({ ...own, sessionContext, connectionId: "c2" });
    const requestContext = { connectionId: "c1", requestId: "r1" };
    expect((await disconnect({ sessions: table, log })({ requestContext })).statusCode).to.equal(200);
    expect([...table.rows.values()]).to.deep.equal([]);
    expect(table.connectionIds()).to.deep.equal(["c2"]);
    expect(log.lines).to.deep.equal([{ level: "info", event: "disconnected", ...requestContext, sessions: 1 }]);
  });

  it("deletes the rest where one item cannot be deleted, and answers 500", async () => {
    const sessions = new MemorySessions();
    const keys = ["chat#7", "chat#8", "chat#9"].map((context) => ({ ...row, context }));
    for (const session of keys) sessions.put(session);
    const { deleteIfConnection } = MemorySessions.prototype;
    sessions.deleteIfConnection = (key, connectionId) =>
      key.context === "chat#7"
        ? Promise.reject(new Error("throttled"))
        : Promise.resolve().then(() => deleteIfConnection.call(sessions, key, connectionId));
    const { statusCode } = await disconnect({ sessions, log: new RecordedLog() })({
      requestContext: { connectionId: "c1", requestId: "r1" },
    });
    expect(statusCode).to.equal(500);
    expect([...sessions.rows.values()].map(({ context }) => context)).to.deep.equal(["chat#7"]);
  });

  it("changes nothing where the index still shows a session that has a newer connection", async () => {
    const sessions = new MemorySessions();
    const newer = { ...row, connectionId: "c2" };
    sessions.put(newer);
    sessions.findByConnection = () => Promise.resolve([{ callerId: row.callerId, context: row.context }]);
    const { statusCode } = await disconnect({ sessions, log: new RecordedLog() })({
      requestContext: { connectionId: "c1", requestId: "r1" },
    });
    expect(statusCode).to.equal(200);
    expect(sessions.calls).to.deep.equal(["deleteIfConnection"]);
    expect([...sessions.rows.values()]).to.deep.equal([newer]);
  });

  it("answers 200 for a connection without a session", async () => {
    const { statusCode } = await disconnect({ sessions: new MemorySessions(), log: new RecordedLog() })({
      requestContext: { connectionId: "c1", requestId: "r1" },
    });
    expect(statusCode).to.equal(200);
  });

  for (const method of ["findByConnection", "deleteIfConnection"] as const) {
    it(`logs and answers 500 where ${method} fails`, async () => {
      const sessions = new MemorySessions();
      const log = new RecordedLog();
      sessions.put(row);
      sessions.failing.add(method);
      const { statusCode } = await disconnect({ sessions, log })({
        requestContext: { connectionId: "c1", requestId: "r1" },
      });
      expect(statusCode).to.equal(500);
      expect(log.lines).to.deep.include({
        level: "error",
        event: "disconnect failed",
        connectionId: "c1",
        requestId: "r1",
        error: "Error",
        errorMessage: `${method} fails`,
        cause: undefined,
        httpStatusCode: undefined,
        awsRequestId: undefined,
      });
    });
  }
});
