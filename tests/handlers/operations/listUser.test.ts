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
  sessionContext: "chat#7",
};

describe("listUser", () => {
  it("lists the user's sessions and connections, the newest first, and whose their session is", async () => {
    const table = new MemoryTable();
    table.put(session);
    table.put({ ...session, context: "report#1", connectionId: "c3", connectedAt: 3 });
    table.put({ ...session, callerId: "user#43" });
    const older = { ...connection, connectionId: "c1", connectedAt: 1 };
    const unnamed = { ...connection, connectionId: "c0", connectedAt: 0, sessionContext: "gone#1" };
    for (const each of [unnamed, older, connection, { ...connection, callerId: "user#43" }]) table.putConnection(each);
    expect(await listUser(table, "42")).to.deep.equal({
      sessions: [{ ...session, context: "report#1", connectionId: "c3", connectedAt: 3 }, session],
      connections: [
        { ...connection, session: "own" },
        { ...older, session: "superseded" },
        { ...unnamed, session: "none" },
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
