import { expect } from "chai";
import { disconnectUser } from "../../../handlers/operations/disconnectUser";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import type { UserConnection } from "../../../handlers/connections/connectionItems";
import { refusal } from "../../support/refusal";
import { MemoryConnections } from "../../support/boundaries";
import { MemoryTable } from "../../support/memoryTable";

const start = 1_700_000_000_500;

/** A connection that is old enough to be open, or over. */
function connectionOf(connectionId: string, given: Partial<UserConnection> = {}): UserConnection {
  return {
    callerId: "user#42",
    connectionId,
    context: "chat#7",
    connectedAt: start - 60_000,
    expirationDate: 1_700_010_800,
    ...given,
  };
}

function cutOffWith(...connections: UserConnection[]) {
  const table = new MemoryTable();
  const gateway = new MemoryConnections();
  const waits: number[] = [];
  let now = start;
  const inOrder = connections.map((each, index) => ({ ...each, connectedAt: each.connectedAt + index }));
  for (const { context, ...own } of inOrder.sort((a, b) => a.connectedAt - b.connectedAt)) {
    // The newest of a context has the session.
    table.put({ ...own, context });
    table.putLookup({ ...own, session: { callerId: own.callerId, context } });
  }
  const dependencies = {
    sessions: table,
    userConnections: table,
    lookups: table.lookups,
    connections: gateway,
    now: () => now,
    wait: (ms: number) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
  const cutOff = (blockSeconds = 3_600, code = "42", signal?: AbortSignal) =>
    disconnectUser(dependencies, code, { blockSeconds }, signal);
  return { table, gateway, waits, cutOff, elapsedMs: () => now - start };
}

describe("disconnectUser", () => {
  it("closes all of the user's connections, superseded ones too, and clears their items", async () => {
    const connections = [connectionOf("c1"), connectionOf("c2"), connectionOf("c3", { context: "report#1" })];
    const { table, gateway, cutOff, waits } = cutOffWith(...connections, connectionOf("x", { callerId: "user#43" }));
    expect(await cutOff()).to.deep.equal({ connectionsClosed: 3, sessionsCleared: 2, blockedUntil: 1_700_003_601 });
    expect(gateway.closed).to.have.members(["c1", "c2", "c3"]);
    expect(table.connectionIds()).to.deep.equal(["x"]);
    expect([...table.rows.keys()]).to.deep.equal([sessionId({ callerId: "user#43", context: "chat#7" })]);
    expect([...table.lookupItems.keys()]).to.deep.equal(["x"]);
    expect(waits).to.deep.equal([]);
  });

  it("closes all live connections of a session, and counts it once", async () => {
    const { table, gateway, cutOff } = cutOffWith();
    for (const connectionId of ["c1", "c2", "c3"]) table.put(connectionOf(connectionId), "all");
    expect(await cutOff()).to.include({ connectionsClosed: 3, sessionsCleared: 1 });
    expect(gateway.closed).to.have.members(["c1", "c2", "c3"]);
    expect([...table.sessionRows]).to.deep.equal([]);
  });

  it("blocks the user before it lists the connections", async () => {
    const { table, cutOff } = cutOffWith();
    expect(await cutOff(1)).to.deep.equal({ connectionsClosed: 0, sessionsCleared: 0, blockedUntil: 1_700_000_002 });
    expect(table.calls).to.deep.equal(["block", "listByUser"]);
    expect([...table.blocks]).to.deep.equal([["user#42", 1_700_000_002]]);
  });

  it("sets no block for 0 seconds, and leaves an earlier one unchanged", async () => {
    const { table, cutOff } = cutOffWith(connectionOf("c1"));
    table.blocks.set("user#42", 1);
    expect(await cutOff(0)).to.deep.equal({ connectionsClosed: 1, sessionsCleared: 1 });
    expect([...table.blocks]).to.deep.equal([["user#42", 1]]);
  });

  it("closes the connection of a session that has no lookup: 0.1.0 saved it", async () => {
    const { table, gateway, cutOff } = cutOffWith();
    const { context, ...own } = connectionOf("c1");
    table.put({ ...own, context });
    expect(await cutOff()).to.include({ connectionsClosed: 1, sessionsCleared: 1 });
    expect(gateway.closed).to.deep.equal(["c1"]);
    expect(table.rows.size).to.equal(0);
  });

  it("does not count a connection that had ended as closed, and clears its items at once", async () => {
    const { table, gateway, cutOff, waits } = cutOffWith(connectionOf("c1", { connectedAt: start - 30_000 }));
    gateway.close = () => Promise.resolve("gone");
    expect(await cutOff()).to.include({ connectionsClosed: 0, sessionsCleared: 1 });
    expect([...table.sessionRows, ...table.lookupItems]).to.deep.equal([]);
    expect(waits).to.deep.equal([]);
  });

  it("tries a connection again that is gone and young, for it may be just opening, until it is closed", async () => {
    const { table, gateway, cutOff, waits } = cutOffWith(connectionOf("c1", { connectedAt: start - 100 }));
    const answers = ["gone", "gone", "closed"] as const;
    gateway.close = () => Promise.resolve(answers[waits.length] ?? "gone");
    expect(await cutOff()).to.include({ connectionsClosed: 1 });
    expect(waits).to.deep.equal([1_000, 1_000]);
    expect(table.lookupItems.size).to.equal(0);
  });

  for (const [name, connectedAt, lastAskedMs] of [
    ["opened ten seconds ago", start - 10_000, 20_000],
    ["opened just now", start, 30_000],
    ["opened in the future, by this clock", start + 600_000, 30_000],
  ] as const) {
    it(`tries a connection that was ${name} until it can open no more`, async () => {
      const { table, gateway, cutOff, elapsedMs } = cutOffWith(connectionOf("c1", { connectedAt }));
      const asked: number[] = [];
      gateway.close = () => {
        asked.push(elapsedMs());
        // Its items are kept until then: another call would find it.
        expect(table.lookupItems.size).to.equal(1);
        return Promise.resolve("gone");
      };
      expect(await cutOff()).to.include({ connectionsClosed: 0, sessionsCleared: 1 });
      expect(asked.at(-1)).to.equal(lastAskedMs);
      expect(table.lookupItems.size).to.equal(0);
    });
  }

  it("closes the others at once while one is tried again", async () => {
    const { gateway, cutOff, elapsedMs } = cutOffWith(connectionOf("c1", { connectedAt: start }), connectionOf("c2"));
    const closedAt = new Map<string, number>();
    gateway.close = (id) => {
      closedAt.set(id, elapsedMs());
      return Promise.resolve(id === "c1" && elapsedMs() < 5_000 ? "gone" : "closed");
    };
    expect(await cutOff()).to.include({ connectionsClosed: 2 });
    expect(Object.fromEntries(closedAt)).to.deep.equal({ c1: 5_000, c2: 0 });
  });

  it("tries twice more where closing fails", async () => {
    const { gateway, cutOff, waits } = cutOffWith(connectionOf("c1"));
    gateway.close = () => (waits.length < 2 ? Promise.reject(new Error("throttled")) : Promise.resolve("closed"));
    expect(await cutOff()).to.include({ connectionsClosed: 1 });
    expect(waits).to.deep.equal([1_000, 1_000]);
  });

  it("throws if a connection cannot be closed, after it closed the others, and keeps its items", async () => {
    const { table, gateway, cutOff } = cutOffWith(connectionOf("c1"), connectionOf("c2"), connectionOf("c3"));
    gateway.close = (id) => (id === "c2" ? Promise.reject(new Error("forbidden")) : Promise.resolve("closed"));
    expect((await refusal(cutOff())).message).to.equal(
      "1 of the user's 3 connections were not closed and cleared (Error: forbidden). Fix: disconnect the user again, which does the rest",
    );
    expect(table.connectionIds()).to.deep.equal(["c2"]);
  });

  it("throws if a connection cannot be removed from its row", async () => {
    const { table, cutOff } = cutOffWith(connectionOf("c1"));
    table.failing.add("removeConnection");
    expect((await refusal(cutOff())).message).to.contain("removeConnection fails");
  });

  it("keeps the row where the lookup cannot be deleted: by it, calling again finds the connection", async () => {
    const { table, cutOff } = cutOffWith(connectionOf("c1"));
    table.failing.add("removeLookup");
    expect((await refusal(cutOff())).message).to.contain("removeLookup fails");
    expect(table.connectionIds()).to.deep.equal(["c1"]);
  });

  it("closes superseded connections of a session whose newest one has left", async () => {
    const { table, gateway, cutOff } = cutOffWith(connectionOf("c1"), connectionOf("c2"));
    await table.removeConnection({ callerId: "user#42", context: "chat#7" }, "c2");
    expect(await cutOff()).to.include({ connectionsClosed: 1, sessionsCleared: 0 });
    expect(gateway.closed).to.deep.equal(["c1"]);
    expect(table.connectionIds()).to.deep.equal([]);
  });

  for (const [method, closed] of [
    ["block", 0],
    ["listByUser", 0],
  ] as const) {
    it(`throws where ${method} fails`, async () => {
      const { table, gateway, cutOff } = cutOffWith(connectionOf("c1"));
      table.failing.add(method);
      expect((await refusal(cutOff())).message).to.equal(`${method} fails`);
      expect(gateway.closed).to.have.length(closed);
    });
  }

  it("stops where the caller aborts", async () => {
    const { gateway, cutOff, waits } = cutOffWith(connectionOf("c1"));
    gateway.close = () => Promise.reject(new Error("aborted"));
    expect((await refusal(cutOff(3_600, "42", AbortSignal.abort()))).message).to.contain("aborted");
    expect(waits).to.deep.equal([]);
  });

  it("waits by the real clock where it is given none, until the caller aborts", async () => {
    const table = new MemoryTable();
    const gateway = new MemoryConnections();
    const { context, ...own } = connectionOf("c1", { connectedAt: Date.now() });
    table.put({ ...own, context });
    const caller = new AbortController();
    gateway.close = () => {
      setImmediate(() => caller.abort());
      return Promise.resolve("gone");
    };
    const dependencies = { sessions: table, userConnections: table, lookups: table.lookups, connections: gateway };
    const error = await refusal(disconnectUser(dependencies, "42", { blockSeconds: 1 }, caller.signal));
    expect(error.message).to.contain("AbortError");
  });

  for (const [code, problem] of [
    ["", "code: user is empty"],
    ["\ud800", "code: user: not well-formed Unicode"],
    ["u".repeat(2048), "code: user: 2053 bytes as a key, at most 2048 are allowed"],
    [42, "code: user is of type number"],
    [null, "code: user is of type object"],
  ] as const) {
    it(`refuses the code ${JSON.stringify(code).slice(0, 20)} and does nothing`, async () => {
      const { table, cutOff } = cutOffWith();
      expect((await refusal(cutOff(1, code as string))).message).to.contain(problem);
      expect(table.calls).to.deep.equal([]);
    });
  }

  for (const blockSeconds of [-1, 1.5, 31_536_001, Number.NaN, "60", null]) {
    it(`refuses blockSeconds of ${typeof blockSeconds} ${String(blockSeconds)} and does nothing`, async () => {
      const { table, cutOff } = cutOffWith();
      expect((await refusal(cutOff(blockSeconds as number))).message).to.equal(
        `blockSeconds: got ${blockSeconds === "60" ? '"60"' : String(blockSeconds)}; allowed: a whole number from 0 to 31536000. ` +
          "Fix: pass whole seconds; 0 sets no block",
      );
      expect(table.calls).to.deep.equal([]);
    });
  }

  it("takes a year of blockSeconds", async () => {
    expect((await cutOffWith().cutOff(31_536_000)).blockedUntil).to.equal(1_731_536_001);
  });
});
