import { type DynamoDBClient, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { expiryShardOf, INDEX_SHARDS } from "../../../handlers/connections/connectionItems";
import { DynamoDbConnectedSessions } from "../../../handlers/connections/connectedSessions";
import { DynamoDbConnectionIndex } from "../../../handlers/connections/connectionIndex";
import { type ConnectionLookup, DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import { DynamoDbTokenExpiryIndex } from "../../../handlers/connections/tokenExpiryIndex";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { keyOf, type Session } from "../../../handlers/sessions/sessionItems";
import { callerIdOf, contextKeyOf, type SessionKey } from "../../../handlers/sessions/sessionKey";
import { DynamoDbSessionMarkers } from "../../../handlers/sessions/sessionMarkers";
import { liveConnections, MAX_LIVE_CONNECTIONS } from "../../../handlers/sessions/sessionRow";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import type { Item } from "../../../handlers/tableClient";
import { type RealTable, realTable } from "../../support/realTables";
import { SESSION_TABLE } from "../../support/tableDeclarations";

const key: SessionKey = { callerId: "user#42", context: "chat#7" };
const session: Session = {
  ...key,
  connectionId: "L0SM9cOFvHcCIhw=",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
};
const connection = (connectionId: string, given: Partial<Session> = {}): Session => ({
  ...session,
  connectionId,
  ...given,
});
const older = connection("c0=", { connectedAt: session.connectedAt - 1 });
const newer = connection("c2=", { connectedAt: session.connectedAt + 1 });

/** A row as 0.1.0 wrote it. */
const rowOf010 = (connectionId: string, of: SessionKey = key): Item => ({
  ...keyOf(of),
  connection_id: { S: connectionId },
  connected_at: { N: "1700000000400" },
  expiration_date: { N: "1700010700" },
});

describe("in a real table", () => {
  let table: RealTable;
  beforeEach(async () => {
    table = await realTable(SESSION_TABLE);
  });
  afterEach(() => table.close());

  const put = (item: Item) => table.client.send(new PutItemCommand({ TableName: table.tableName, Item: item }));
  const items = async () => {
    const { Items = [] } = await table.client.send(
      new ScanCommand({ TableName: table.tableName, ConsistentRead: true }),
    );
    return Items;
  };
  /** The table, with at most so many items in a page. */
  const paged = (limit: number) => {
    const client = {
      send: (command: { input: object }, options: object) => {
        Object.assign(command.input, { Limit: limit });
        return table.client.send(command as never, options);
      },
    };
    return { client: client as unknown as DynamoDBClient, tableName: table.tableName };
  };

  describe("the session store", () => {
    const store = (wait?: (ms: number) => Promise<void>) => new DynamoDbSessionStore(table.client, table, wait);
    const liveIds = async () => {
      const row = await store().read(key);
      return row && liveConnections(row).map(({ connectionId }) => connectionId);
    };
    const save = async (...sessions: Session[]) => {
      for (const each of sessions) await store().save(each, "all", await store().read(key));
    };

    it("keeps all of a connection, and the five attributes of the newest one", async () => {
      const full = { ...session, subprotocol: "websocket-relay.v1", tokenExpiresAt: 1_700_000_600 };
      expect(await store().save(full, "newest")).to.deep.equal({ superseded: [] });
      const row = await store().read(key);
      expect(row && liveConnections(row)).to.deep.equal([full]);
      const { connections, revision, ...attributes } = (await table.rawItem(keyOf(key))) ?? {};
      expect(attributes).to.deep.equal({
        ...keyOf(key),
        connection_id: { S: "L0SM9cOFvHcCIhw=" },
        connected_at: { N: "1700000000500" },
        expiration_date: { N: "1700010800" },
        subprotocol: { S: "websocket-relay.v1" },
        token_expires_at: { N: "1700000600" },
      });
      expect(Object.keys(connections?.M ?? {})).to.deep.equal(["L0SM9cOFvHcCIhw="]);
      expect(revision?.S).to.equal(row?.revision);
    });

    it("writes over no row that another connection has written since it was read", async () => {
      for (const before of [[], [older]]) {
        await save(...before);
        const row = await store().read(key);
        await store().save(newer, "all", row);
        await store().save(session, "all", row);
        expect(await liveIds()).to.deep.equal([newer, session, ...before].map(({ connectionId }) => connectionId));
        for (const each of [older, session, newer]) await store().removeConnection(key, each.connectionId);
      }
    });

    it("takes over a row of 0.1.0, unless 0.1.0 has given it to another connection meanwhile", async () => {
      await put(rowOf010("a="));
      const row = await store().read(key);
      await put(rowOf010("b="));
      await store().save(session, "all", row);
      expect(await liveIds()).to.deep.equal([session.connectionId, "b="]);
    });

    it("adds a connection to a row without a live one", async () => {
      await store().save(older, "newest");
      await store().save(session, "newest", await store().read(key));
      await store().removeConnection(key, session.connectionId);
      expect(await liveIds()).to.deep.equal([]);
      expect((await table.rawItem(keyOf(key)))?.connected_at).to.equal(undefined);
      await store().save(newer, "newest", await store().read(key));
      expect(await liveIds()).to.deep.equal([newer.connectionId]);
    });

    it("loses none of the connections that are saved at the same time", async () => {
      const ids = Array.from({ length: MAX_LIVE_CONNECTIONS }, (_, i) => `c${i}=`);
      await Promise.all(ids.map((id) => store().save(connection(id), "all")));
      expect(await liveIds()).to.have.members(ids);
      await Promise.all(ids.map((id) => store().removeConnection(key, id)));
      expect(await items()).to.deep.equal([]);
    });

    it("leaves the session to the newest of the connections that are saved at the same time", async () => {
      const connections = Array.from({ length: 8 }, (_, i) =>
        connection(`c${i}=`, { connectedAt: session.connectedAt + i }),
      );
      const saved = await Promise.all(connections.map((each) => store().save(each, "newest")));
      expect(await liveIds()).to.deep.equal(["c7="]);
      const superseded = saved.flatMap((each) => (typeof each === "string" ? [] : each.superseded));
      const refused = connections.filter((_, i) => saved[i] === "superseded");
      // One that lost its place to a handshake that was itself under way is named by the next one as well.
      const named = new Set([...superseded, ...refused].map(({ connectionId }) => connectionId));
      expect([...named].sort()).to.deep.equal(connections.slice(0, 7).map(({ connectionId }) => connectionId));
    });

    it("deletes a row with its last connection, and says whether that one was live", async () => {
      await store().save(older, "newest");
      await store().save(session, "newest", await store().read(key));
      expect(await store().removeConnection(key, "c9=")).to.equal(false);
      expect(await store().removeConnection(key, session.connectionId)).to.equal(true);
      expect(await items()).to.have.lengthOf(1);
      expect(await store().removeConnection(key, older.connectionId)).to.equal(false);
      expect(await items()).to.deep.equal([]);
      expect(await store().removeConnection(key, older.connectionId)).to.equal(false);
    });

    it("deletes a row of 0.1.0 only with its own connection", async () => {
      await put(rowOf010("a="));
      expect(await store().removeConnection(key, "b=")).to.equal(false);
      expect(await items()).to.deep.equal([rowOf010("a=")]);
      expect(await store().removeConnection(key, "a=")).to.equal(true);
      expect(await items()).to.deep.equal([]);
    });

    it("removes each connection once, though it is removed twice at the same time", async () => {
      await save(older, session);
      const removed = await Promise.all(
        [older, session, older, session].map(({ connectionId }) => store().removeConnection(key, connectionId)),
      );
      expect(removed.filter(Boolean)).to.have.lengthOf(2);
      expect(await items()).to.deep.equal([]);
    });

    it("reads what a handshake depends on: the row, the user's block, and the session's marker", async () => {
      expect(await store().readForConnect(key, { readsMarker: true })).to.deep.equal({});
      await save(session);
      await new DynamoDbUserConnections(table.client, table).block(key.callerId, 1_700_003_600);
      await new DynamoDbSessionMarkers(table.client, table).mark(key, 1_700_086_400);
      const row = await store().read(key);
      const handshake = { row, blockedUntil: 1_700_003_600 };
      expect(await store().readForConnect(key)).to.deep.equal(handshake);
      expect(await store().readForConnect(key, { readsMarker: true })).to.deep.equal({
        ...handshake,
        markedUntil: 1_700_086_400,
      });
    });

    it("reads the rows that exist of more keys than a request may name", async () => {
      const keys = Array.from({ length: 205 }, (_, i) => ({ callerId: `user#${i}`, context: "chat#7" }));
      const rows = keys.filter((_, i) => i % 2 === 0);
      await Promise.all(rows.map((each) => store().save({ ...session, ...each }, "newest")));
      const read = await store().readAll([...keys, ...keys]);
      expect([...read.values()].map(({ callerId }) => callerId)).to.have.members(rows.map(({ callerId }) => callerId));
    });

    // A response has at most 16 MB, and 1 MB of each partition.
    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
    it("reads rows of 3 MB, even if a response holds only a part of them", async () => {
      const keys = Array.from({ length: 8 }, (_, i) => ({ callerId: `user#${i}`, context: "chat#7" }));
      for (const each of keys) await put({ ...rowOf010("a=", each), padding: { S: "x".repeat(390_000) } });
      expect([...(await store(() => Promise.resolve()).readAll(keys)).values()]).to.have.lengthOf(8);
    });

    it("keeps a session with the longest keys", async () => {
      // Two bytes each in UTF-8.
      const [user, contextId] = [
        "é".repeat((2_048 - "user#".length - 1) / 2),
        "é".repeat((1_024 - "chat#".length - 1) / 2),
      ];
      const longest = {
        callerId: callerIdOf(`x${user}`).value ?? "",
        context: contextKeyOf("chat", `x${contextId}`).value ?? "",
      };
      expect([longest.callerId, longest.context].map((text) => Buffer.byteLength(text))).to.deep.equal([2_048, 1_024]);
      await store().save({ ...session, ...longest }, "newest");
      await new DynamoDbSessionMarkers(table.client, table).mark(longest, 1_700_086_400);
      const { row, markedUntil } = await store().readForConnect(longest, { readsMarker: true });
      expect([row?.context, markedUntil]).to.deep.equal([longest.context, 1_700_086_400]);
    });
  });

  describe("lookups of connections", () => {
    const lookups = () => new DynamoDbConnectionLookups(table.client, table);
    const lookup: ConnectionLookup = {
      connectionId: session.connectionId,
      connectedAt: session.connectedAt,
      expirationDate: session.expirationDate,
      session: key,
    };

    it("are read until they are removed, by one of those that remove them at the same time", async () => {
      for (const each of [lookup, { ...lookup, tokenExpiresAt: 1_700_000_600 }]) {
        await lookups().add(each);
        expect(await lookups().read(each.connectionId)).to.deep.equal(each);
        expect(await lookups().read("c1=")).to.equal(undefined);
        const removed = await Promise.all([1, 2, 3, 4].map(() => lookups().remove(each.connectionId)));
        expect(removed.filter(Boolean)).to.deep.equal([each]);
        expect(await lookups().read(each.connectionId)).to.equal(undefined);
      }
    });
  });

  describe("the index by the end of tokens", () => {
    it("has the connections of a shard whose token has ended, page by page", async () => {
      const shard = INDEX_SHARDS[3];
      const ids = Array.from({ length: 200 }, (_, i) => `connection${i}=`).filter((id) => expiryShardOf(id) === shard);
      const [atTheTime, before, later, endless] = [ids.slice(0, 4), ids.slice(4, 6), ids.slice(6, 8), ids.slice(8, 9)];
      const lookups = new DynamoDbConnectionLookups(table.client, table);
      const add = async (connectionIds: string[], tokenExpiresAt?: number) => {
        for (const connectionId of connectionIds) {
          await lookups.add({
            ...{ connectionId, connectedAt: session.connectedAt, expirationDate: session.expirationDate, session: key },
            ...(tokenExpiresAt !== undefined && { tokenExpiresAt }),
          });
        }
      };
      const now = 1_700_000_600;
      await add(atTheTime, now);
      await add(before, now - 900_000_000);
      await add(later, now + 1);
      await add(endless);
      const find = async (of: string, limit: number) => {
        const pages: string[][] = [];
        const index = new DynamoDbTokenExpiryIndex(paged(limit).client, { ...table, indexName: "token-expiry" });
        for await (const page of index.findExpired(of, now)) pages.push(page);
        return pages.filter(({ length }) => length > 0);
      };
      for (const limit of [1, 4, 50]) {
        const pages = await find(shard, limit);
        expect(pages[0]).to.have.lengthOf(Math.min(limit, 6));
        expect(pages.flat().slice(0, 2)).to.have.members(before);
        expect(pages.flat().slice(2)).to.have.members(atTheTime);
      }
      expect(await find(INDEX_SHARDS[4], 50)).to.deep.equal([]);
      for (const id of ids) await lookups.remove(id);
      expect(await find(shard, 50)).to.deep.equal([]);
    });
  });

  describe("the index by connection", () => {
    it("has the rows whose newest live connection it is, page by page", async () => {
      const others = [1, 2].map((i) => ({ ...key, context: `chat#${i}` }));
      for (const each of [key, ...others]) await put(rowOf010("a=", each));
      await put({ ...keyOf({ ...key, context: "chat#3" }), expiration_date: { N: "1700010800" } });
      const find = (limit: number, id: string) =>
        new DynamoDbConnectionIndex(paged(limit).client, { ...table, indexName: "connection" }).find(id);
      for (const limit of [1, 10]) {
        expect(await find(limit, "a=")).to.have.deep.members([key, ...others]);
        expect(await find(limit, "b=")).to.deep.equal([]);
      }
    });
  });

  describe("a user's connections", () => {
    it("are those of all of the user's sessions, and of no other user, page by page", async () => {
      const store = new DynamoDbSessionStore(table.client, table);
      const other = { ...key, context: "report#1" };
      await store.save(older, "newest");
      await store.save(session, "newest", await store.read(key));
      await store.save({ ...newer, ...other }, "newest");
      await store.save({ ...newer, callerId: "user#420" }, "newest");
      await new DynamoDbSessionMarkers(table.client, table).mark(key, 1_700_086_400);
      await new DynamoDbUserConnections(table.client, table).block(key.callerId, 1_700_003_600);
      for (const limit of [1, 2, 50]) {
        const users = new DynamoDbUserConnections(paged(limit).client, table);
        expect(await users.listByUser(key.callerId)).to.deep.equal({
          sessions: [session, { ...newer, ...other }],
          connections: [session, { ...older, superseded: true }, { ...newer, ...other }],
          blockedUntil: 1_700_003_600,
        });
        expect(await users.listByUser("user#4")).to.deep.equal({ sessions: [], connections: [] });
      }
    });

    it("are blocked until the time of the last block, even if an earlier one was longer", async () => {
      const users = new DynamoDbUserConnections(table.client, table);
      expect(await users.blockedUntil(key.callerId)).to.equal(undefined);
      for (const until of [1_700_003_600, 1_700_000_060]) {
        await users.block(key.callerId, until);
        expect(await users.blockedUntil(key.callerId)).to.equal(until);
      }
    });
  });

  for (const [name, list] of [
    [
      "sessions with a client",
      (limit: number, most: number, context?: string) =>
        new DynamoDbConnectedSessions(paged(limit).client, table).list(
          { callerId: key.callerId, ...(context !== undefined && { context }) },
          1_700_000_000,
          most,
        ),
    ],
    [
      "marked sessions",
      (limit: number, most: number, context?: string) =>
        new DynamoDbSessionMarkers(paged(limit).client, table).list(
          { callerId: key.callerId, ...(context !== undefined && { context }) },
          1_700_000_000,
          most,
        ),
    ],
  ] as [string, (limit: number, most: number, context?: string) => Promise<SessionKey[]>][]) {
    describe(name, () => {
      it("are listed by user and by context, in the order of their keys, page by page, up to the limit", async () => {
        const contexts = ["chat#1", "chat#10", "chat#2", "chatter#1", "report#é"];
        const store = new DynamoDbSessionStore(table.client, table);
        const markers = new DynamoDbSessionMarkers(table.client, table);
        const add = async (of: SessionKey, until: number) => {
          await store.save({ ...session, ...of, expirationDate: until }, "newest");
          await markers.mark(of, until);
        };
        for (const context of contexts) await add({ ...key, context }, 1_700_000_001);
        await add({ ...key, context: "chat#0" }, 1_700_000_000);
        await add({ callerId: "user#4", context: "chat#5" }, 1_700_000_001);
        const listed = async (limit: number, most: number, context?: string) =>
          (await list(limit, most, context)).map((each) => each.context);
        for (const limit of [1, 3, 50]) {
          expect(await listed(limit, 50)).to.deep.equal(contexts);
          expect(await listed(limit, 50, "chat")).to.deep.equal(contexts.slice(0, 3));
          expect(await listed(limit, 2, "chat")).to.deep.equal(contexts.slice(0, 2));
        }
      });
    });
  }
});
