import { expect } from "chai";
import { itemBytes } from "../../../bench/capacity";
import { itemOf, rowOf, sessionOf, type SessionRow } from "../../../handlers/sessions/sessionItems";
import { hasConnection, isSuperseded, withConnection, withoutConnection } from "../../../handlers/sessions/sessionRow";

const key = { callerId: "user#42", context: "chat#7" };
const at = 1_700_000_000_000;
const connection = (connectionId: string, connectedAt: number) => ({ connectionId, connectedAt });
const session = (connectionId: string, connectedAt: number, more: object = {}) => ({
  ...key,
  ...connection(connectionId, connectedAt),
  expirationDate: 1_700_010_800,
  ...more,
});
const rowWith = (...connectedAt: number[]): SessionRow =>
  connectedAt.reduce<SessionRow | undefined>(
    (row, each, index) => withConnection(row, session(`c${index}`, each)),
    undefined,
  ) as SessionRow;
const idsIn = (row: SessionRow | undefined) => row?.connections.map(({ connectionId }) => connectionId);

describe("a session's row", () => {
  it("has the newest connection as its session, and keeps the superseded ones", () => {
    const row = rowWith(at, at + 1);
    expect(row.session).to.deep.equal(session("c1", at + 1));
    expect(row.connections).to.deep.equal([connection("c1", at + 1), connection("c0", at)]);
  });

  it("drops connections that can no longer be open: older than two hours and five minutes", () => {
    expect(idsIn(rowWith(at, at + 7_499_999))).to.deep.equal(["c1", "c0"]);
    expect(idsIn(rowWith(at, at + 7_500_000))).to.deep.equal(["c1"]);
  });

  it("has ten connections at most: the oldest superseded ones are dropped", () => {
    const times = Array.from({ length: 12 }, (_, index) => at + index);
    expect(idsIn(rowWith(...times))).to.deep.equal([11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((index) => `c${index}`));
  });

  it("has no session once its newest connection has left: superseded ones do not get it back", () => {
    const left = withoutConnection(rowWith(at, at + 1), "c1");
    expect(left).to.deep.equal({ ...key, connections: [connection("c0", at)], expirationDate: 1_700_010_800 });
  });

  it("keeps its session when a superseded connection leaves", () => {
    const left = withoutConnection(rowWith(at, at + 1), "c0");
    expect(left?.session).to.deep.equal(session("c1", at + 1));
    expect(idsIn(left)).to.deep.equal(["c1"]);
  });

  it("is deleted with its last connection", () => {
    expect(withoutConnection(rowWith(at), "c0")).to.equal(undefined);
  });

  for (const [name, row, expected] of [
    ["there is no row", undefined, false],
    ["the newest connection is older", rowWith(at - 1), false],
    ["the newest connection is as new", rowWith(at), true],
    ["the newest connection is newer", rowWith(at + 1), true],
    ["it is the newest itself", withConnection(undefined, session("own", at)), false],
    ["the newest, which was newer, has left", withoutConnection(rowWith(at - 1, at + 1), "c1"), false],
  ] as const) {
    it(`${expected ? "refuses" : "accepts"} a connection where ${name}`, () => {
      expect(isSuperseded(session("own", at), row)).to.equal(expected);
    });
  }
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
            token_expires_at: { N: "1700000600" },
            subprotocol: { S: "websocket-relay.v1" },
          },
        },
        c0: { M: { connected_at: { N: String(at) } } },
      },
    },
    revision: { S: "r1" },
  };
  const newest = session("c1", at + 1, { tokenExpiresAt: 1_700_000_600, subprotocol: "websocket-relay.v1" });
  const row = withConnection(rowWith(at), newest);

  it("has the newest connection in attributes of its own, and all of them in a map", () => {
    expect(itemOf(row, "r1")).to.deep.equal(Item);
    expect(rowOf(Item)).to.deep.equal({ ...row, revision: "r1" });
    expect(sessionOf(Item)).to.deep.equal(newest);
  });

  it("is no session without the attributes of the newest connection, and still expires", () => {
    const left = itemOf(withoutConnection(row, "c1") as SessionRow, "r2");
    expect(left).to.deep.equal({
      caller_id: Item.caller_id,
      context: Item.context,
      expiration_date: Item.expiration_date,
      connections: { M: { c0: Item.connections.M.c0 } },
      revision: { S: "r2" },
    });
    expect(sessionOf(left)).to.equal(undefined);
    expect(rowOf(left)).to.deep.include({ connections: [connection("c0", at)], revision: "r2" });
  });

  it("has the session's connection, too, where 0.1.0 wrote it without a map", () => {
    const { caller_id, context, connection_id, connected_at, expiration_date } = Item;
    const read = rowOf({ caller_id, context, connection_id, connected_at, expiration_date });
    expect(read).to.deep.equal(withConnection(undefined, session("c1", at + 1)));
    expect(hasConnection(read as SessionRow, "c1")).to.equal(true);
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

  it("stays below a kilobyte with seven connections, as many as one unit writes", () => {
    const times = Array.from({ length: 7 }, (_, index) => at + index);
    const ids = { connectionId: "LMNOPqrstuvw=", tokenExpiresAt: 1_700_000_600, subprotocol: "websocket-relay.v1" };
    const long = times.reduce<SessionRow | undefined>(
      (all, connectedAt, index) =>
        withConnection(all, { ...newest, ...ids, connectionId: `${index}${ids.connectionId}`, connectedAt }),
      undefined,
    ) as SessionRow;
    expect(itemBytes(itemOf(long, "01234567-89ab-cdef-0123-456789abcdef"))).to.be.lessThan(1_024);
  });
});
