import { expect } from "chai";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import { disconnectUser } from "../../../handlers/operations/disconnectUser";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { type Connections, liveConnections } from "../../../handlers/sessions/sessionRow";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation } from "../../support/events";
import { MemoryTable } from "../../support/memoryTable";

const now = 1_700_000_001_000;
const KEY = { callerId: "user#42", context: "chat#7" };
const V1 = { subprotocol: "websocket-relay.v1" };

/** A connection that has been open for a minute, less that many milliseconds. */
const open = (connectionId: string, late = 0, more: Partial<Session> = V1): Session => ({
  ...KEY,
  connectionId,
  connectedAt: now - 60_000 + late,
  expirationDate: now / 1000 + 7_200,
  ...more,
});
const ten = Array.from({ length: 10 }, (_, index) => open(`t${index}`, 10 - index));

/** The handshakes of one session, and what happens before a call of one of them. */
function setUp(connections: Connections = "newest", others: readonly Session[] = [open("c0")]) {
  const table = new MemoryTable();
  const gateway = new MemoryConnections();
  gateway.gone = false;
  const log = new RecordedLog();
  const flushes: string[] = [];
  for (const each of others) {
    const { callerId, context, ...connection } = each;
    table.put(each, connections);
    table.putLookup({ ...connection, session: { callerId, context } });
  }
  /** What rejects, or comes between, in the handshake of that connection. */
  const meanwhile = new Map<string, () => Promise<unknown>>();
  /** A connection's own view of the table. */
  const tableFor = (connectionId: string) =>
    new Proxy(table, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          await meanwhile.get(`${connectionId} ${String(name)}`)?.();
          return await (Reflect.apply(value, target, args) as Promise<unknown>);
        };
      },
    });
  const handshake = async (connectionId: string, late = 60_000, offered: string | null = V1.subprotocol) => {
    const own = tableFor(connectionId);
    const handler = connectReplay({
      authenticator: { authenticate: () => Promise.resolve({ user: "42" }) },
      sessions: own,
      userConnections: own,
      lookups: table.lookups,
      connections: gateway,
      connectionsOfSession: connections,
      markers: {
        mark: async (key, until) => {
          await meanwhile.get(`${connectionId} mark`)?.();
          await table.markers.mark(key, until);
        },
      },
      flushRequests: {
        send: async () => {
          await meanwhile.get(`${connectionId} flush`)?.();
          flushes.push(connectionId);
        },
      },
      historyRetentionSeconds: 86_400,
      metrics: new RecordedMetrics(),
      log,
      sessionTtlSeconds: 10_800,
      endSessionWithToken: false,
      now: () => now,
    });
    const headers: Record<string, string> = offered === null ? {} : { "Sec-WebSocket-Protocol": offered };
    const event = connectEvent({ connectionId, connectedAt: now - 60_000 + late, headers });
    return (await handler(event, invocation())).statusCode;
  };
  const fails = (what: string) => meanwhile.set(what, () => Promise.reject(new Error(`${what} fails`)));
  return {
    table,
    gateway,
    log,
    flushes,
    meanwhile,
    handshake,
    fails,
    live: () => [...table.sessionRows.values()].flatMap(liveConnections).map(({ connectionId }) => connectionId),
    told: () => gateway.posts.map(({ connectionId }) => connectionId),
  };
}

describe("a handshake that fails after it has taken a connection's place", () => {
  for (const [connections, others] of [
    ["newest", [open("c0")]],
    ["all", ten],
  ] as const) {
    for (const step of ["blockedUntil", "mark", "flush"]) {
      it(`gives it back where ${step} fails, and leaves nothing of itself, ${connections}`, async () => {
        const { table, gateway, handshake, fails, live, told, flushes } = setUp(connections, others);
        const before = { live: live(), lookups: [...table.lookupItems] };
        fails(`own ${step}`);
        expect(await handshake("own", 60_000, null)).to.equal(500);
        expect({ live: live(), lookups: [...table.lookupItems] }).to.deep.equal(before);
        expect(table.connectionIds()).to.have.members(before.live);
        // The client that has its place again has heard nothing of it.
        expect([told(), gateway.closed, flushes]).to.deep.equal([[], [], []]);
      });
    }
  }

  it("gives it back where the row was written, and the answer of the table is lost", async () => {
    const { table, handshake, live } = setUp();
    const { save } = MemoryTable.prototype;
    table.save = async (...args) => {
      await save.apply(table, args);
      throw new Error("no answer");
    };
    expect(await handshake("own")).to.equal(500);
    expect([live(), table.connectionIds()]).to.deep.equal([["c0"], ["c0"]]);
  });

  it("does not bring a connection back that has left in the meantime", async () => {
    const { table, handshake, fails, meanwhile } = setUp();
    fails("own blockedUntil");
    meanwhile.set("own removeConnection", () => table.removeConnection(KEY, "c0"));
    expect(await handshake("own")).to.equal(500);
    expect(table.connectionIds()).to.deep.equal([]);
  });

  it("leaves the session to a newer connection, which tells both that they are superseded", async () => {
    const { handshake, live, told, meanwhile } = setUp();
    meanwhile.set("own blockedUntil", async () => {
      expect(await handshake("newer", 60_001)).to.equal(200);
      throw new Error("no answer");
    });
    expect(await handshake("own")).to.equal(500);
    expect(live()).to.deep.equal(["newer"]);
    expect(told()).to.deep.equal(["own", "c0"]);
  });

  for (const order of ["first", "last"] as const) {
    it(`gives it back where a newer handshake fails as well, which fails ${order}`, async () => {
      const { table, handshake, live, told, meanwhile } = setUp();
      let newer: Promise<number> | undefined;
      let failNewer: () => void = () => undefined;
      const until = new Promise<void>((resolve) => (failNewer = resolve));
      meanwhile.set("newer blockedUntil", async () => {
        await until;
        throw new Error("no answer");
      });
      meanwhile.set("own blockedUntil", async () => {
        newer = handshake("newer", 60_001);
        while (!table.connectionIds().includes("newer")) await new Promise(setImmediate);
        if (order === "first") {
          failNewer();
          expect(await newer).to.equal(500);
        }
        throw new Error("no answer");
      });
      expect(await handshake("own")).to.equal(500);
      expect(live()).to.deep.equal([order === "first" ? "c0" : "newer"]);
      failNewer();
      expect(await newer).to.equal(500);
      expect([live(), table.connectionIds(), told()]).to.deep.equal([["c0"], ["c0"], []]);
    });
  }

  it("leaves the session to its successor where that one's handshake succeeds and a third one fails", async () => {
    const { handshake, live, fails, told } = setUp();
    expect(await handshake("own")).to.equal(200);
    fails("newer blockedUntil");
    expect(await handshake("newer", 60_001)).to.equal(500);
    expect([live(), told()]).to.deep.equal([["own"], ["c0"]]);
  });

  it("leaves ten live connections where the eleventh fails while another one has come", async () => {
    const { handshake, live, told, meanwhile, gateway } = setUp("all", ten);
    meanwhile.set("own blockedUntil", async () => {
      expect(await handshake("other", 60_001)).to.equal(200);
      throw new Error("no answer");
    });
    expect(await handshake("own")).to.equal(500);
    // The oldest, t9, has its place again. The other one has taken that of t8.
    expect(live()).to.have.members(["other", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t9"]);
    expect([told(), gateway.closed]).to.deep.equal([["t8"], ["t8"]]);
  });

  for (const second of ["fails", "finds the block"]) {
    it(`brings no connection of a user back who is disconnected meanwhile, where the second look at the block ${second}`, async () => {
      const { table, handshake, live, meanwhile } = setUp();
      const closed: string[] = [];
      let waits = 0;
      const disconnecting = () =>
        disconnectUser(
          {
            sessions: table,
            lookups: table.lookups,
            userConnections: table,
            // Until the handshake is over, its connection is "gone", as is one that never opens.
            connections: {
              close: (connectionId) => {
                closed.push(connectionId);
                return Promise.resolve(connectionId === "c0" ? "closed" : "gone");
              },
            },
            now: () => now + 60_000 * waits,
            wait: () => ((waits += 1), Promise.resolve()),
          },
          "42",
          { blockSeconds: 3_600 },
        );
      meanwhile.set("own blockedUntil", async () => {
        await disconnecting();
        expect(live()).to.deep.equal([]);
        if (second === "fails") throw new Error("no answer");
      });
      expect(await handshake("own")).to.equal(second === "fails" ? 500 : 403);
      expect([...new Set(closed)]).to.deep.equal(["own", "c0"]);
      expect([table.connectionIds(), [...table.lookupItems]]).to.deep.equal([[], []]);
    });
  }

  it("ends with the connection that it replaced where the user is disconnected just before that one has its place again", async () => {
    const { table, handshake, fails, meanwhile } = setUp();
    fails("own blockedUntil");
    // `disconnectUser` has listed the row before the handshake wrote it, and is done with what it found.
    meanwhile.set("own removeConnection", async () => {
      await table.block(KEY.callerId, now / 1000 + 3_600);
      await table.removeConnection(KEY, "c0");
    });
    expect(await handshake("own")).to.equal(500);
    expect(table.connectionIds()).to.deep.equal([]);
  });

  it("gives no place back to a blocked user's connection, which disconnectUser closes", async () => {
    const { table, handshake, live, told, meanwhile } = setUp();
    meanwhile.set("own blockedUntil", () => table.block(KEY.callerId, now / 1000 + 3_600));
    expect(await handshake("own")).to.equal(403);
    expect([live(), table.connectionIds(), told()]).to.deep.equal([[], ["c0"], []]);
  });

  it("asks for no missed messages where the session cannot be marked", async () => {
    const { handshake, fails, flushes } = setUp();
    fails("own mark");
    expect(await handshake("own", 60_000, null)).to.equal(500);
    expect(flushes).to.deep.equal([]);
  });
});
