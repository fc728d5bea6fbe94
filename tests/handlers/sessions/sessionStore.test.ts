import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import type { Session, SessionRow } from "../../../handlers/sessions/sessionItems";
import { type Connections, withConnection, withoutHandshake } from "../../../handlers/sessions/sessionRow";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import type { Item } from "../../../handlers/tableClient";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";
import { fakeCredentials, type FakeRequest, fakeRequestHandler, type FakeResponse } from "../../support/boundaries";

const session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
};
const item = {
  caller_id: { S: "user#42" },
  context: { S: "chat#7" },
  connection_id: { S: "c1" },
  connected_at: { N: "1700000000500" },
  expiration_date: { N: "1700010800" },
};
const older = { ...session, connectionId: "c0", connectedAt: session.connectedAt - 1 };
const newer = { ...session, connectionId: "c2", connectedAt: session.connectedAt + 1 };
const key = { callerId: "user#42", context: "chat#7" };
const Key = { caller_id: { S: "user#42" }, context: { S: "chat#7" } };
const keyFor = (i: number) => ({ caller_id: { S: `user#${i}` }, context: { S: "c#i" } });
const failedCondition = {
  status: 400,
  body: { __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", message: "no" },
};
const denied = { status: 400, body: { __type: "com.amazon.coral.service#AccessDeniedException", message: "denied" } };

function storeWith(respond: (request: FakeRequest, index: number) => FakeResponse) {
  const { requests, requestHandler } = fakeRequestHandler(respond);
  const waits: number[] = [];
  const client = new DynamoDBClient({ ...fakeCredentials, maxAttempts: 1, requestHandler });
  const store = new DynamoDbSessionStore(client, { tableName: "t" }, (ms) => {
    waits.push(ms);
    return Promise.resolve();
  });
  return { store, waits, sent: () => requests.map(({ target, text }) => [target, JSON.parse(text) as unknown]) };
}

function memoryStore() {
  const memory = new MemoryDynamoDb();
  return { memory, store: new DynamoDbSessionStore(memory.client, { tableName: "t" }) };
}

/** A row with these connections, as one that was just read. */
function rowWith(connections: Connections, ...sessions: Session[]): SessionRow {
  return sessions.reduce<SessionRow | undefined>((row, session) => {
    const next = withConnection(row, session, connections);
    return typeof next === "string" ? expect.fail(next) : next.row;
  }, undefined) as SessionRow;
}

const live = ({ connections }: SessionRow = rowWith("newest")) =>
  connections.filter(({ supersededBy }) => !supersededBy).map(({ connectionId }) => connectionId);

function revisionIn(request: unknown[] | undefined) {
  const [, { Item: put }] = request as [string, { Item: Item }];
  expect(put.revision?.S).to.match(/^[0-9a-f-]{36}$/);
  return put.revision;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => expect.fail("resolved"),
    (error: Error) => error.message,
  );
}

describe("DynamoDbSessionStore", () => {
  it("saves the five attributes and the map of connections, where there is no row", async () => {
    const { store, sent } = storeWith(() => ({}));
    expect(await store.save(session, "newest")).to.deep.equal({ superseded: [] });
    const revision = revisionIn(sent()[0]);
    const { connected_at, expiration_date } = item;
    expect(sent()).to.deep.equal([
      [
        "PutItem",
        {
          TableName: "t",
          Item: { ...item, connections: { M: { c1: { M: { connected_at, expiration_date } } } }, revision },
          ConditionExpression: "attribute_not_exists(revision) AND attribute_not_exists(connected_at)",
        },
      ],
    ]);
  });

  it("replaces the row as it was read, and answers the connections that it has superseded", async () => {
    const { store, sent } = storeWith(() => ({}));
    const row = { ...rowWith("newest", older), revision: "r1" };
    expect(await store.save(session, "newest", row)).to.deep.equal({ superseded: [older] });
    const [[, put] = []] = sent() as [string, { Item: Item }][];
    expect(Object.keys(put?.Item.connections?.M ?? {})).to.deep.equal(["c1", "c0"]);
    expect(put).to.deep.include({
      ConditionExpression: "revision = :revision",
      ExpressionAttributeValues: { ":revision": { S: "r1" } },
    });
  });

  it("replaces a row of 0.1.0, which has no revision, if it still has the same connection", async () => {
    const { store, sent } = storeWith(() => ({}));
    await store.save(session, "newest", rowWith("newest", older));
    expect(sent()[0]?.[1]).to.deep.include({
      ConditionExpression: "attribute_not_exists(revision) AND connection_id = :id",
      ExpressionAttributeValues: { ":id": { S: "c0" } },
    });
  });

  it("gives each write a revision of its own", async () => {
    const { store, sent } = storeWith(() => ({}));
    await store.save(session, "newest");
    await store.save(session, "newest");
    const [first, second] = sent().map((request) => revisionIn(request));
    expect(first).not.to.deep.equal(second);
  });

  it("keeps the subprotocol and when the token ends, and reads them again", async () => {
    const more = { ...session, subprotocol: "websocket-relay.v1", tokenExpiresAt: 1_700_000_600 };
    const { store } = memoryStore();
    await store.save(more, "newest");
    const { revision, ...row } = (await store.read(key)) as SessionRow;
    expect(row).to.deep.equal(rowWith("newest", more));
    expect([...(await store.readAll([key])).values()]).to.deep.equal([{ ...row, revision }]);
  });

  it("is superseded where a newer connection has the session, and writes nothing", async () => {
    const { store, sent } = storeWith(() => ({}));
    expect(await store.save(session, "newest", rowWith("newest", newer))).to.equal("superseded");
    expect(sent()).to.deep.equal([]);
  });

  it("has no place for an eleventh connection where all ten are raw, and writes nothing", async () => {
    const { store, sent } = storeWith(() => ({}));
    const ten = Array.from({ length: 10 }, (_, index) => ({ ...older, connectionId: `t${index}` }));
    expect(await store.save(session, "all", rowWith("all", ...ten))).to.equal("full");
    expect(sent()).to.deep.equal([]);
  });

  it("gives the connection the place of one that has ended, with the same write", async () => {
    const { store, memory } = memoryStore();
    const ten = Array.from({ length: 10 }, (_, index) => ({ ...older, connectionId: `t${index}` }));
    for (const each of ten) await store.save(each, "all", await store.read(key));
    const row = await store.read(key);
    memory.requests.length = 0;
    expect(await store.save(session, "all", row, new Set(["t3", "t5"]))).to.deep.equal({ superseded: [] });
    expect(memory.requests).to.deep.equal(["PutItem"]);
    expect(live(await store.read(key))).to.have.members(["c1", "t0", "t1", "t2", "t4", "t6", "t7", "t8", "t9"]);
  });

  it("reads a row again that another connection has changed meanwhile, and keeps that one's entry", async () => {
    const { store, memory } = memoryStore();
    const { row } = await store.readForConnect(key);
    await store.save(older, "newest", row);
    expect(await store.save(session, "newest", row)).to.deep.equal({ superseded: [older] });
    const saved = (await store.readForConnect(key)).row;
    expect(live(saved)).to.deep.equal(["c1"]);
    expect(saved?.connections.map(({ connectionId }) => connectionId)).to.deep.equal(["c1", "c0"]);
    expect(memory.requests.filter((name) => name === "PutItem")).to.have.length(3);
  });

  it("is superseded by a newer connection that came between", async () => {
    const { store } = memoryStore();
    const { row } = await store.readForConnect(key);
    await store.save(newer, "newest", row);
    expect(await store.save(session, "newest", row)).to.equal("superseded");
    expect(live(await store.read(key))).to.deep.equal(["c2"]);
  });

  it("adds a connection besides a newer one that came between, where all get the messages", async () => {
    const { store } = memoryStore();
    const { row } = await store.readForConnect(key);
    await store.save(newer, "all", row);
    expect(await store.save(session, "all", row)).to.deep.equal({ superseded: [] });
    expect(live(await store.read(key))).to.deep.equal(["c2", "c1"]);
  });

  it("takes a row that it has written itself for saved: the SDK has retried the write", async () => {
    const { store, memory } = memoryStore();
    await store.save(older, "newest");
    const { row } = await store.readForConnect(key);
    memory.losesAnswer = (name) => name === "PutItem";
    expect(await store.save(session, "newest", row)).to.deep.equal({ superseded: [older] });
    expect(live(await store.read(key))).to.deep.equal(["c1"]);
  });

  it("answers whom it has superseded, even if a newer connection came between its write and the SDK's retry", async () => {
    const { store, memory } = memoryStore();
    const other = new DynamoDbSessionStore(memory.client, { tableName: "t" });
    await store.save(older, "newest");
    const row = await store.read(key);
    let puts = 0;
    memory.losesAnswer = (name) => name === "PutItem" && puts === 1;
    memory.beforeRequest = async (name) => {
      if (name !== "PutItem" || ++puts !== 2) return;
      await other.save(newer, "newest", await other.read(key));
    };
    expect(await store.save(session, "newest", row)).to.deep.equal({ superseded: [older] });
    expect(live(await store.read(key))).to.deep.equal(["c2"]);
  });

  it("throws where the row changes 20 times while it is to be written", async () => {
    const { store, sent } = storeWith(({ target }) => (target === "PutItem" ? failedCondition : {}));
    expect(await messageOf(store.save(session, "newest"))).to.equal(
      "the session's row has changed 20 times while it was written",
    );
    expect(sent().filter(([target]) => target === "PutItem")).to.have.length(20);
  });

  it("reads what a handshake depends on in one consistent batch", async () => {
    const block = { caller_id: Key.caller_id, context: { S: "#block" }, blocked_until: { N: "7" } };
    const { store, sent } = storeWith(() => ({ body: { Responses: { t: [block, item] } } }));
    expect(await store.readForConnect(key)).to.deep.equal({
      row: rowWith("newest", session),
      blockedUntil: 7,
    });
    const Keys = [Key, { caller_id: Key.caller_id, context: block.context }];
    expect(sent()).to.deep.equal([["BatchGetItem", { RequestItems: { t: { Keys, ConsistentRead: true } } }]]);
  });

  it("reads the session's marker, too, where it is asked for", async () => {
    const marker = { caller_id: { S: "seen#42" }, context: Key.context, expiration_date: { N: "9" } };
    const { store, sent } = storeWith(() => ({ body: { Responses: { t: [marker, item] } } }));
    expect(await store.readForConnect(key, { readsMarker: true })).to.deep.equal({
      row: rowWith("newest", session),
      markedUntil: 9,
    });
    const Keys = [Key, { ...Key, context: { S: "#block" } }, { ...Key, caller_id: marker.caller_id }];
    expect(sent()).to.deep.equal([["BatchGetItem", { RequestItems: { t: { Keys, ConsistentRead: true } } }]]);
  });

  it("reads neither row nor block where there is none", async () => {
    expect(await storeWith(() => ({ body: { Responses: {} } })).store.readForConnect(key)).to.deep.equal({});
  });

  it("throws where saving, reading or removing fails", async () => {
    const { store } = storeWith(() => denied);
    for (const call of [
      store.save(session, "newest"),
      store.read(key),
      store.readAll([key]),
      store.readForConnect(key),
      store.removeConnection(key, "c1"),
    ]) {
      expect(await messageOf(call)).to.equal("denied");
    }
  });

  it("reads a row consistently", async () => {
    const { store, sent } = storeWith(() => ({ body: { Item: item } }));
    expect(await store.read(key)).to.deep.equal(rowWith("newest", session));
    expect(sent()).to.deep.equal([["GetItem", { TableName: "t", Key, ConsistentRead: true }]]);
  });

  it("reads no row where there is none, or one that is not ours", async () => {
    expect(await storeWith(() => ({})).store.read(key)).to.equal(undefined);
    expect(await storeWith(() => ({ body: { Item: Key } })).store.read(key)).to.equal(undefined);
  });

  it("reads distinct keys in one consistent batch", async () => {
    const { store, sent } = storeWith(() => ({ body: { Responses: { t: [item] } } }));
    const other = { callerId: "user#43", context: "chat#7" };
    const found = await store.readAll([key, other, { ...key }]);
    expect([...found.entries()]).to.deep.equal([['["user#42","chat#7"]', rowWith("newest", session)]]);
    const Keys = [Key, { ...Key, caller_id: { S: "user#43" } }];
    expect(sent()).to.deep.equal([["BatchGetItem", { RequestItems: { t: { Keys, ConsistentRead: true } } }]]);
  });

  it("reads more than 100 keys in several batches", async () => {
    const sizes: number[] = [];
    const { store } = storeWith(({ text }) => {
      const { Keys } = (JSON.parse(text) as { RequestItems: { t: { Keys: (typeof item)[] } } }).RequestItems.t;
      sizes.push(Keys.length);
      return { body: { Responses: { t: Keys.map((asked) => ({ ...item, ...asked })) } } };
    });
    const keys = Array.from({ length: 205 }, (_, i) => ({ callerId: `user#${i}`, context: "c#i" }));
    expect((await store.readAll(keys)).size).to.equal(205);
    expect(sizes).to.deep.equal([100, 100, 5]);
  });

  it("asks again for what the table left unprocessed, waiting longer each time", async () => {
    const { store, waits, sent } = storeWith((_, index) => ({
      body:
        index < 2
          ? { Responses: { t: [] }, UnprocessedKeys: { t: { Keys: [keyFor(1)], ConsistentRead: true } } }
          : { Responses: { t: [{ ...item, ...keyFor(1) }] }, UnprocessedKeys: {} },
    }));
    const keys = [1, 2].map((i) => ({ callerId: `user#${i}`, context: "c#i" }));
    expect((await store.readAll(keys)).size).to.equal(1);
    expect(waits).to.deep.equal([50, 100]);
    expect(sent()[1]).to.deep.equal([
      "BatchGetItem",
      { RequestItems: { t: { Keys: [keyFor(1)], ConsistentRead: true } } },
    ]);
  });

  it("throws where the table leaves keys unprocessed to the end", async () => {
    const { store, waits } = storeWith(() => ({ body: { UnprocessedKeys: { t: { Keys: [keyFor(1)] } } } }));
    expect(await messageOf(store.readAll([key]))).to.equal("the table did not return 1 items");
    expect(waits).to.deep.equal([50, 100, 200]);
  });

  it("deletes the row of a session's only connection without reading it, in one request", async () => {
    const { store, sent } = storeWith(() => ({}));
    await store.removeConnection(key, "c1");
    const isOf010 = "attribute_not_exists(connections) AND connection_id = :id";
    const isOnly = "attribute_exists(connections.#id) AND size(connections) = :one";
    expect(sent()).to.deep.equal([
      [
        "DeleteItem",
        {
          TableName: "t",
          Key,
          ConditionExpression: `(${isOf010}) OR (${isOnly})`,
          ExpressionAttributeNames: { "#id": "c1" },
          ExpressionAttributeValues: { ":id": { S: "c1" }, ":one": { N: "1" } },
          ReturnValues: "ALL_OLD",
        },
      ],
    ]);
  });

  describe("removes a connection", () => {
    const savedWith = async (connections: Connections, ...sessions: Session[]) => {
      const { store, memory } = memoryStore();
      for (const each of sessions) await store.save(each, connections, await store.read(key));
      memory.requests.length = 0;
      return { store, memory };
    };
    const saved = (...sessions: Session[]) => savedWith("newest", ...sessions);
    const saveNewer = async (store: DynamoDbSessionStore) => store.save(newer, "newest", await store.read(key));
    const idsAfter = async (store: DynamoDbSessionStore) =>
      (await store.readForConnect(key)).row?.connections.map(({ connectionId }) => connectionId);

    it("with its row, if it is the only one", async () => {
      const { store, memory } = await saved(session);
      expect(await store.removeConnection(key, "c1")).to.equal(true);
      expect(memory.requests).to.deep.equal(["DeleteItem"]);
      expect([...memory.items]).to.deep.equal([]);
    });

    it("with its row, if 0.1.0 wrote it", async () => {
      const { store, memory } = memoryStore();
      memory.items.set('["user#42","chat#7"]', item);
      expect(await store.removeConnection(key, "c1")).to.equal(true);
      expect(memory.requests).to.deep.equal(["DeleteItem"]);
      expect([...memory.items]).to.deep.equal([]);
    });

    it("that is superseded, and leaves the session to the newest", async () => {
      const { store, memory } = await saved(older, session);
      expect(await store.removeConnection(key, "c0")).to.equal(false);
      expect(memory.requests).to.deep.equal(["DeleteItem", "GetItem", "PutItem"]);
      expect(live(await store.read(key))).to.deep.equal(["c1"]);
      expect(await idsAfter(store)).to.deep.equal(["c1"]);
    });

    it("that is the newest, and leaves a row without a live connection that has the superseded one", async () => {
      const { store } = await saved(older, session);
      expect(await store.removeConnection(key, "c1")).to.equal(true);
      expect(live(await store.read(key))).to.deep.equal([]);
      expect(await idsAfter(store)).to.deep.equal(["c0"]);
    });

    it("whose handshake has failed, and gives the one that it has superseded its place back", async () => {
      const { store, memory } = await saved(older, session);
      expect(await store.removeConnection(key, "c1", undefined, withoutHandshake)).to.equal(true);
      expect(memory.requests).to.deep.equal(["DeleteItem", "GetItem", "PutItem"]);
      expect(live(await store.read(key))).to.deep.equal(["c0"]);
      expect([...memory.items.values()].map((each) => each.connection_id)).to.deep.equal([{ S: "c0" }]);
    });

    for (const [name, change, left] of [
      ["a newer one has come", (store: DynamoDbSessionStore) => saveNewer(store), ["c2"]],
      ["that one has left", (store: DynamoDbSessionStore) => store.removeConnection(key, "c0"), undefined],
    ] as const) {
      it(`whose handshake has failed, and writes nothing that was read before ${name}`, async () => {
        const { store, memory } = await saved(older, session);
        let isFirst = true;
        memory.beforeRequest = async (request) => {
          if (request !== "PutItem" || !isFirst) return;
          isFirst = false;
          await change(store);
        };
        await store.removeConnection(key, "c1", undefined, withoutHandshake);
        const row = await store.read(key);
        expect(row && live(row)).to.deep.equal(left);
      });
    }

    it("that is one of several live ones, and leaves the others live", async () => {
      for (const left of ["c0", "c1", "c2"]) {
        const { store, memory } = await savedWith("all", older, session, newer);
        expect(await store.removeConnection(key, left)).to.equal(true);
        expect(memory.requests).to.deep.equal(["DeleteItem", "GetItem", "PutItem"]);
        expect(live(await store.read(key))).to.deep.equal(["c2", "c1", "c0"].filter((each) => each !== left));
      }
    });

    it("that is the last of a row without a live connection, with its row", async () => {
      const { store, memory } = await saved(older, session);
      await store.removeConnection(key, "c1");
      expect(await store.removeConnection(key, "c0")).to.equal(false);
      expect([...memory.items]).to.deep.equal([]);
    });

    it("with its row, if the other one has left meanwhile", async () => {
      const { store, memory } = await saved(older, session);
      let isFirst = true;
      memory.beforeRequest = async (name) => {
        if (name !== "PutItem" || !isFirst) return;
        isFirst = false;
        await store.removeConnection(key, "c0");
      };
      await store.removeConnection(key, "c1");
      expect([...memory.items]).to.deep.equal([]);
    });

    for (const [name, sessions] of [
      ["has another connection", [older]],
      ["does not exist", []],
    ] as const) {
      it(`and changes nothing where the row ${name}`, async () => {
        const { store, memory } = await saved(...sessions);
        const before = [...memory.items];
        expect(await store.removeConnection(key, "c1")).to.equal(false);
        expect([...memory.items]).to.deep.equal(before);
      });
    }

    it("and changes nothing where 0.1.0 has given the row to another one", async () => {
      const { store, memory } = memoryStore();
      memory.items.set('["user#42","chat#7"]', item);
      await store.removeConnection(key, "c0");
      expect([...memory.items.values()]).to.deep.equal([item]);
    });
  });

  it("hands the signal that stops a call to the client", async () => {
    const signals: (boolean | undefined)[] = [];
    const { store } = storeWith(({ aborted }) => (signals.push(aborted), {}));
    await store.readAll([key], AbortSignal.abort());
    await store.read(key, AbortSignal.abort());
    await store.removeConnection(key, "c1", AbortSignal.abort());
    await store.readForConnect(key, { signal: AbortSignal.abort() });
    await store.save(session, "newest", undefined, undefined, AbortSignal.abort());
    expect(signals).to.deep.equal([true, true, true, true, true]);
  });
});
