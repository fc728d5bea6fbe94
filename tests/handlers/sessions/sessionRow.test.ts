import { expect } from "chai";
import { itemBytes, readUnits, writeUnits } from "../../../bench/capacity";
import { itemOf, rowOf, type Session, type SessionRow } from "../../../handlers/sessions/sessionItems";
import {
  type Connections,
  hasConnection,
  isFull,
  isSuperseded,
  liveConnections,
  withConnection,
  withoutConnection,
  withoutHandshake,
} from "../../../handlers/sessions/sessionRow";

const key = { callerId: "user#42", context: "chat#7" };
const at = 1_700_000_000_000;
const expirationDate = 1_700_010_800;
const v1 = { subprotocol: "websocket-relay.v1" };
const connection = (connectionId: string, connectedAt: number) => ({ connectionId, connectedAt, expirationDate });
const session = (connectionId: string, connectedAt: number, more: Partial<Session> = {}): Session => ({
  ...key,
  ...connection(connectionId, connectedAt),
  ...more,
});
const supersededBy = "c1";

/** The row after the connection was added. */
function added(row: SessionRow | undefined, next: Session, connections: Connections, gone?: ReadonlySet<string>) {
  const changed = withConnection(row, next, connections, gone);
  if (typeof changed === "string") throw new Error(changed);
  return changed;
}

/** Connections `c0`, `c1`, …, which connected in this order. */
const rowOfAll = (connections: Connections, sessions: readonly Session[]): SessionRow =>
  sessions.reduce<SessionRow | undefined>((row, each) => added(row, each, connections).row, undefined) as SessionRow;
const rowWith = (...connectedAt: number[]) =>
  rowOfAll(
    "newest",
    connectedAt.map((each, index) => session(`c${index}`, each)),
  );
const allLive = (count: number, more: (index: number) => Partial<Session> = () => ({})) =>
  rowOfAll(
    "all",
    Array.from({ length: count }, (_, index) => session(`c${index}`, at + index, more(index))),
  );
const idsIn = (row: SessionRow | undefined) => row?.connections.map(({ connectionId }) => connectionId);
const liveIn = (row: SessionRow | undefined) => row && liveConnections(row).map(({ connectionId }) => connectionId);
const supersededIn = (row: SessionRow) =>
  row.connections.filter((each) => each.supersededBy).map(({ connectionId }) => connectionId);

describe("a session's row, where the newest connection gets the messages", () => {
  it("has the newest connection as its only live one, and keeps the superseded ones", () => {
    const row = rowWith(at, at + 1);
    expect(liveConnections(row)).to.deep.equal([session("c1", at + 1)]);
    expect(row.connections).to.deep.equal([connection("c1", at + 1), { ...connection("c0", at), supersededBy }]);
  });

  it("says which connection has lost its place, and to which", () => {
    const { row, superseded } = added(rowWith(at), session("c1", at + 1), "newest");
    expect(superseded).to.deep.equal([session("c0", at)]);
    expect(row.connections.map((each) => each.supersededBy)).to.deep.equal([undefined, "c1"]);
  });

  it("says, too, which had lost their place to one whose handshake may still fail before it tells them", () => {
    const told = (age: number) =>
      added(rowWith(at - 1, at), session("c2", at + age), "newest").superseded.map((each) => each.connectionId);
    expect([told(29_999), told(30_000)]).to.deep.equal([["c1", "c0"], ["c1"]]);
  });

  it("drops connections that can no longer be open: older than two hours and five minutes", () => {
    expect(idsIn(rowWith(at, at + 7_499_999))).to.deep.equal(["c1", "c0"]);
    expect(idsIn(rowWith(at, at + 7_500_000))).to.deep.equal(["c1"]);
  });

  it("has nine superseded connections at most: the oldest ones are dropped", () => {
    const times = Array.from({ length: 12 }, (_, index) => at + index);
    expect(idsIn(rowWith(...times))).to.deep.equal([11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((index) => `c${index}`));
  });

  it("has no live connection once the newest has left: superseded ones do not get the session back", () => {
    const left = withoutConnection(rowWith(at, at + 1), "c1") as SessionRow;
    expect(left).to.deep.equal({ ...key, connections: [{ ...connection("c0", at), supersededBy }], expirationDate });
    expect(liveIn(left)).to.deep.equal([]);
  });

  it("keeps its live connection when a superseded one leaves", () => {
    const left = withoutConnection(rowWith(at, at + 1), "c0");
    expect(left?.connections).to.deep.equal([connection("c1", at + 1)]);
  });

  for (const [name, row, expected] of [
    ["there is no row", undefined, false],
    ["the newest connection is older", rowWith(at - 1), false],
    ["the newest connection is as new", rowWith(at), true],
    ["the newest connection is newer", rowWith(at + 1), true],
    ["it is the newest itself", rowOfAll("newest", [session("own", at)]), false],
    ["the newest, which was newer, has left", withoutConnection(rowWith(at - 1, at + 1), "c1"), false],
  ] as const) {
    it(`${expected ? "refuses" : "accepts"} a connection where ${name}`, () => {
      expect(isSuperseded(session("own", at), row)).to.equal(expected);
      expect(withConnection(row, session("own", at), "newest") === "superseded").to.equal(expected);
    });
  }
});

describe("a session's row, where all connections get the messages", () => {
  it("has every connection as a live one, the newest first, one that arrives late too", () => {
    const row = rowOfAll("all", [session("c0", at), session("c1", at + 2), session("late", at + 1)]);
    expect(liveConnections(row)).to.deep.equal([session("c1", at + 2), session("late", at + 1), session("c0", at)]);
  });

  it("has ten live connections: the oldest that speaks the protocol loses its place to an eleventh, in any order", () => {
    const row = allLive(10, (index) => (index === 0 ? {} : v1));
    expect([isFull(allLive(9)), isFull(row)]).to.deep.equal([false, true]);
    for (const own of [session("own", at + 20), session("own", at - 1), session("own", at - 1, v1)]) {
      const { row: next, superseded: lost } = added(row, own, "all");
      expect(lost).to.deep.equal([session("c1", at + 1, v1)]);
      expect(liveIn(next)).to.have.members(["own", ...[0, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => `c${index}`)]);
      expect(supersededIn(next)).to.deep.equal(["c1"]);
    }
  });

  it("is full if all ten are raw: the eleventh has no place, even if it speaks the protocol", () => {
    for (const more of [{}, v1]) {
      expect(withConnection(allLive(10), session("own", at + 20, more), "all")).to.equal("full");
    }
  });

  it("gives an eleventh the place of one that has ended or can no longer be open, and supersedes none", () => {
    const ended = added(allLive(10), session("own", at + 20), "all", new Set(["c3"]));
    expect(ended.superseded).to.deep.equal([]);
    expect(idsIn(ended.row)).to.deep.equal(["own", ...[9, 8, 7, 6, 5, 4, 2, 1, 0].map((index) => `c${index}`)]);
    const aged = added(allLive(10), session("own", at + 7_500_001), "all");
    expect(idsIn(aged.row)).to.have.length(9).and.not.include("c0").and.not.include("c1");
  });

  it("keeps nine superseded connections besides ten live ones", () => {
    const row = rowOfAll(
      "all",
      Array.from({ length: 25 }, (_, index) => session(`c${index}`, at + index, v1)),
    );
    expect(liveIn(row)).to.deep.equal(Array.from({ length: 10 }, (_, index) => `c${24 - index}`));
    expect(supersededIn(row)).to.deep.equal(Array.from({ length: 9 }, (_, index) => `c${14 - index}`));
  });

  it("has the next newest as its newest when one leaves, and the others stay live", () => {
    const left = withoutConnection(allLive(3), "c2");
    expect(liveIn(left)).to.deep.equal(["c1", "c0"]);
    expect(itemOf(left as SessionRow, "r").connection_id).to.deep.equal({ S: "c1" });
  });

  it("expires with the last of its connections, each of which expires by itself", () => {
    const row = rowOfAll("all", [
      session("c0", at, { expirationDate: expirationDate + 60 }),
      session("c1", at + 1, { tokenExpiresAt: 1_700_000_600 }),
    ]);
    expect(row.expirationDate).to.equal(expirationDate + 60);
    expect(rowOf(itemOf(row, "r1"))).to.deep.equal({ ...row, revision: "r1" });
    expect(withoutConnection(row, "c0")?.expirationDate).to.equal(expirationDate);
  });

  it("is deleted with its last connection", () => {
    expect(withoutConnection(rowWith(at), "c0")).to.equal(undefined);
  });
});

describe("a session's row, where a handshake fails after it was written", () => {
  for (const connections of ["newest", "all"] as const) {
    it(`is as it was before, ${connections}`, () => {
      const before = connections === "newest" ? rowWith(at - 2, at - 1) : allLive(10, () => v1);
      const { row } = added(before, session("own", at + 20), connections);
      expect(supersededIn(row)).not.to.deep.equal(supersededIn(before));
      expect(itemOf(withoutHandshake(row, "own") as SessionRow, "r")).to.deep.equal(itemOf(before, "r"));
    });
  }

  it("leaves those superseded that were so before", () => {
    const { row } = added(rowWith(at, at + 1), session("own", at + 2), "newest");
    const left = withoutHandshake(row, "own") as SessionRow;
    expect([liveIn(left), supersededIn(left)]).to.deep.equal([["c1"], ["c0"]]);
  });

  it("leaves the session to a newer connection, and has its first one back once that one's handshake fails as well", () => {
    const second = added(rowWith(at), session("c1", at + 1), "newest").row;
    const third = added(second, session("c2", at + 2), "newest").row;
    const withoutSecond = withoutHandshake(third, "c1") as SessionRow;
    expect([liveIn(withoutSecond), supersededIn(withoutSecond)]).to.deep.equal([["c2"], ["c0"]]);
    expect(liveIn(withoutHandshake(withoutSecond, "c2"))).to.deep.equal(["c0"]);
    const withoutThird = withoutHandshake(third, "c2") as SessionRow;
    expect([liveIn(withoutThird), supersededIn(withoutThird)]).to.deep.equal([["c1"], ["c0"]]);
    expect(liveIn(withoutHandshake(withoutThird, "c1"))).to.deep.equal(["c0"]);
  });

  it("gives no place back to one that has left, nor to one that lost it to a connection that has ended", () => {
    const { row } = added(rowWith(at), session("own", at + 1), "newest");
    expect(withoutHandshake(withoutConnection(row, "c0") as SessionRow, "own")).to.equal(undefined);
    const ended = withoutConnection(row, "own") as SessionRow;
    expect(withoutHandshake(ended, "own")).to.deep.equal(ended);
    expect(liveIn(ended)).to.deep.equal([]);
  });

  it("has ten live connections at most, though another one has taken a place meanwhile", () => {
    const first = added(
      allLive(10, () => v1),
      session("own", at + 20),
      "all",
    ).row;
    const second = added(first, session("other", at + 21), "all").row;
    const left = withoutHandshake(second, "own") as SessionRow;
    expect(liveIn(left)).to.deep.equal(["other", ...[9, 8, 7, 6, 5, 4, 3, 2, 0].map((index) => `c${index}`)]);
    expect(supersededIn(left)).to.deep.equal(["c1"]);
  });

  it("gives a connection of 0.1.0 its session back", () => {
    const old = { caller_id: { S: key.callerId }, context: { S: key.context }, connection_id: { S: "c0" } };
    const times = { connected_at: { N: String(at) }, expiration_date: { N: String(expirationDate) } };
    const { row } = added(rowOf({ ...old, ...times }), session("own", at + 1), "newest");
    const left = itemOf(withoutHandshake(row, "own") as SessionRow, "r");
    expect(left).to.deep.equal({ ...old, ...times, connections: { M: { c0: { M: times } } }, revision: { S: "r" } });
  });
});

describe("a session's row, where the setting changes", () => {
  it("leaves superseded connections superseded: their clients were told", () => {
    const { row, superseded: lost } = added(rowWith(at, at + 1), session("c2", at + 40_000), "all");
    expect([liveIn(row), supersededIn(row), lost]).to.deep.equal([["c2", "c1"], ["c0"], []]);
  });

  it("has a single live connection again after the next handshake, which supersedes all others", () => {
    const next = added(allLive(10), session("own", at + 20), "newest");
    expect(liveIn(next.row)).to.deep.equal(["own"]);
    expect(next.superseded.map(({ connectionId }) => connectionId)).to.deep.equal(
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((index) => `c${index}`),
    );
    expect(supersededIn(next.row)).to.have.length(9);
    expect(withConnection(allLive(3), session("late", at + 1), "newest")).to.equal("superseded");
  });
});

describe("the item of a session's row", () => {
  const Item = {
    caller_id: { S: "user#42" },
    context: { S: "chat#7" },
    connection_id: { S: "c1" },
    connected_at: { N: String(at + 1) },
    expiration_date: { N: "1700010800" },
    token_expires_at: { N: "1700000600" },
    subprotocol: { S: "websocket-relay.v1" },
    connections: {
      M: {
        c1: {
          M: {
            connected_at: { N: String(at + 1) },
            expiration_date: { N: "1700010800" },
            token_expires_at: { N: "1700000600" },
            subprotocol: { S: "websocket-relay.v1" },
          },
        },
        c0: {
          M: {
            connected_at: { N: String(at) },
            expiration_date: { N: "1700010800" },
            superseded_by: { S: "c1" },
          },
        },
      },
    },
    revision: { S: "r1" },
  };
  const newest = session("c1", at + 1, { tokenExpiresAt: 1_700_000_600, ...v1 });
  const { row } = added(rowWith(at), newest, "newest");

  it("has the newest connection in attributes of its own, and all of them in a map", () => {
    expect(itemOf(row, "r1")).to.deep.equal(Item);
    expect(rowOf(Item)).to.deep.equal({ ...row, revision: "r1" });
    expect(liveConnections(rowOf(Item) as SessionRow)).to.deep.equal([newest]);
  });

  it("lacks the attributes of a newest connection where only superseded ones remain, and still expires", () => {
    const left = itemOf(withoutConnection(row, "c1") as SessionRow, "r2");
    expect(left).to.deep.equal({
      caller_id: Item.caller_id,
      context: Item.context,
      expiration_date: Item.expiration_date,
      connections: { M: { c0: Item.connections.M.c0 } },
      revision: { S: "r2" },
    });
    expect(rowOf(left)).to.deep.include({ connections: [{ ...connection("c0", at), supersededBy }], revision: "r2" });
  });

  it("has the session's connection, too, where 0.1.0 wrote it without a map", () => {
    const { caller_id, context, connection_id, connected_at, expiration_date } = Item;
    const read = rowOf({ caller_id, context, connection_id, connected_at, expiration_date }) as SessionRow;
    expect(read).to.deep.equal(rowOfAll("newest", [session("c1", at + 1)]));
    expect(hasConnection(read, "c1")).to.equal(true);
    expect(liveIn(added(read, session("c2", at + 2), "all").row)).to.deep.equal(["c2", "c1"]);
  });

  for (const [name, changed] of [
    ["a connection without the time it was opened", { connected_at: undefined }],
    ["no time at which it expires", { expiration_date: undefined }],
    ["neither a connection nor a map", { connection_id: undefined, connections: undefined }],
    ["no context", { context: undefined }],
  ] as const) {
    it(`is not the relay's with ${name}`, () => {
      expect(rowOf({ ...Item, ...changed } as never)).to.equal(undefined);
    });
  }

  it("is read without the entries that the relay did not write", () => {
    const odd = { c2: { S: "c2" }, c3: { M: {} } };
    expect(idsIn(rowOf({ ...Item, connections: { M: { ...Item.connections.M, ...odd } } }))).to.deep.equal([
      "c1",
      "c0",
    ]);
  });

  // With UUIDs as the user and as contextId, and the gateway's ids of 16 characters.
  const ending = { ...v1, tokenExpiresAt: 1_700_000_600 };
  for (const [name, connections, count, more, bytes] of [
    ["ten raw connections", "all", 10, {}, 864],
    ["eight connections that speak the protocol", "all", 8, v1, 1_007],
    ["ten connections that speak the protocol", "all", 10, v1, 1_193],
    ["ten whose tokens end, and nine that they have superseded", "all", 19, ending, 2_759],
    ["one whose token ends, and four that it has superseded", "newest", 5, ending, 985],
  ] as const) {
    const units = Math.ceil(bytes / 1_024);
    it(`has ${bytes} bytes, ${units} write unit${units > 1 ? "s" : ""} and a read unit, with ${name}`, () => {
      const sessions = Array.from({ length: count }, (_, index) => ({
        ...session(`${String(index).padStart(2, "0")}KLMNOPqrstuvw=`, at + index, more),
        callerId: `user#${"u".repeat(36)}`,
        context: `conversation#${"c".repeat(36)}`,
      }));
      const item = itemOf(rowOfAll(connections, sessions), "01234567-89ab-cdef-0123-456789abcdef");
      expect(itemBytes(item)).to.equal(bytes);
      expect([writeUnits(undefined, item, [], []), readUnits(item)]).to.deep.equal([units, 1]);
    });
  }
});
