import { expect } from "chai";
import { listUser } from "../../../handlers/operations/listUser";
import { refusal } from "../../support/refusal";
import { MemoryTable } from "../../support/memoryTable";

const session = { callerId: "user#42", context: "chat#7", connectionId: "c2", connectedAt: 2, expirationDate: 9 };
const connection = {
  callerId: "user#42",
  connectionId: "c2",
  connectedAt: 2,
  expirationDate: 9,
  context: "chat#7",
};

describe("listUser", () => {
  it("lists the user's sessions and connections, the newest first, and which of them are live", async () => {
    const table = new MemoryTable();
    const gone = { ...session, context: "gone#1", connectionId: "c0", connectedAt: 0 };
    table.put(gone);
    table.put({ ...gone, connectionId: "c4", connectedAt: 4 });
    await table.removeConnection(gone, "c4");
    table.put({ ...session, connectionId: "c1", connectedAt: 1 });
    table.put(session);
    table.put({ ...session, context: "report#1", connectionId: "c3", connectedAt: 3 });
    table.put({ ...session, callerId: "user#43" });
    expect(await listUser(table, "42")).to.deep.equal({
      sessions: [{ ...session, context: "report#1", connectionId: "c3", connectedAt: 3 }, session],
      connections: [
        { ...connection, connectionId: "c3", connectedAt: 3, context: "report#1", state: "live" },
        { ...connection, state: "live" },
        { ...connection, connectionId: "c1", connectedAt: 1, state: "superseded" },
        { ...connection, connectionId: "c0", connectedAt: 0, context: "gone#1", state: "without-session" },
      ],
    });
  });

  it("lists each live connection of a session, and when it expires by itself", async () => {
    const table = new MemoryTable();
    table.put({ ...session, connectionId: "c1", connectedAt: 1, expirationDate: 8 }, "all");
    table.put(session, "all");
    expect(await listUser(table, "42")).to.deep.equal({
      sessions: [session],
      connections: [
        { ...connection, state: "live" },
        { ...connection, connectionId: "c1", connectedAt: 1, expirationDate: 8, state: "live" },
      ],
    });
  });

  it("says until when the user is blocked", async () => {
    const table = new MemoryTable();
    table.blocks.set("user#42", 1_700_000_000);
    expect(await listUser(table, "42")).to.deep.equal({ sessions: [], connections: [], blockedUntil: 1_700_000_000 });
  });

  it("throws for a code that no user can have, and where the table fails", async () => {
    const table = new MemoryTable();
    expect((await refusal(listUser(table, ""))).message).to.contain("code: user is empty");
    table.failing.add("listByUser");
    expect((await refusal(listUser(table, "42"))).message).to.equal("listByUser fails");
  });
});
