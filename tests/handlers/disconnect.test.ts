import { expect } from "chai";
import { disconnect } from "../../handlers/disconnect";
import { MemorySessions, RecordedLog } from "./boundaries";

const row = { callerId: "user#42", context: "chat#7", connectionId: "c1", connectedAt: 1, expirationDate: 2 };

describe("disconnect", () => {
  it("deletes the sessions of its own connection only", async () => {
    const sessions = new MemorySessions();
    const other = { ...row, context: "chat#8", connectionId: "c2" };
    for (const session of [row, { ...row, context: "chat#9" }, other]) sessions.put(session);
    const { statusCode } = await disconnect({ sessions, log: new RecordedLog() })({
      requestContext: { connectionId: "c1" },
    });
    expect(statusCode).to.equal(200);
    expect([...sessions.rows.values()]).to.deep.equal([other]);
  });

  it("changes nothing where the index still shows a session that has a newer connection", async () => {
    const sessions = new MemorySessions();
    const newer = { ...row, connectionId: "c2" };
    sessions.put(newer);
    sessions.findByConnection = () => Promise.resolve([{ callerId: row.callerId, context: row.context }]);
    const { statusCode } = await disconnect({ sessions, log: new RecordedLog() })({
      requestContext: { connectionId: "c1" },
    });
    expect(statusCode).to.equal(200);
    expect(sessions.calls).to.deep.equal(["deleteIfConnection"]);
    expect([...sessions.rows.values()]).to.deep.equal([newer]);
  });

  it("answers 200 for a connection without a session", async () => {
    const { statusCode } = await disconnect({ sessions: new MemorySessions(), log: new RecordedLog() })({
      requestContext: { connectionId: "c1" },
    });
    expect(statusCode).to.equal(200);
  });

  for (const method of ["findByConnection", "deleteIfConnection"] as const) {
    it(`logs and answers 500 where ${method} fails`, async () => {
      const sessions = new MemorySessions();
      const log = new RecordedLog();
      sessions.put(row);
      sessions.failing.add(method);
      const { statusCode } = await disconnect({ sessions, log })({ requestContext: { connectionId: "c1" } });
      expect(statusCode).to.equal(500);
      expect(log.lines).to.deep.include({
        level: "error",
        event: "disconnect failed",
        connectionId: "c1",
        error: "Error",
        errorMessage: `${method} fails`,
        cause: undefined,
        httpStatusCode: undefined,
        awsRequestId: undefined,
      });
    });
  }
});
