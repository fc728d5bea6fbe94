import { expect } from "chai";
import { type Index, type Item, readUnits, writeUnits } from "../../../bench/capacity";
import { connect } from "../../../handlers/connect/connect";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import { DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { DynamoDbSessionMarkers } from "../../../handlers/sessions/sessionMarkers";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation } from "../../support/events";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";

const NOW = 1_700_000_001_000;
const KEYS = ["caller_id", "context"];
const connectionIndex: Index = { keys: ["connection_id"], projected: [] };
const tokenExpiryIndex: Index = { keys: ["expiry_shard", "token_expires_at"], projected: [] };

/** A user and a contextId that are UUIDs. */
const KEY = { user: "u".repeat(36), contextId: "c".repeat(36) };

interface Setting {
  delivery: "retry" | "replay";
  indexes?: readonly Index[];
  endSessionWithToken?: boolean;
  connections?: Connections;
}

/** A table whose requests are counted in units of capacity. */
function metered({ delivery, indexes = [], endSessionWithToken = false, connections = "newest" }: Setting) {
  const memory = new MemoryDynamoDb();
  const units = { write: 0, read: 0 };
  const calls: string[] = [];
  let now = NOW;
  const client = {
    send: async (command: {
      constructor: { name: string };
      input: { Key?: Item; Item?: Item; RequestItems?: Record<string, { Keys: Item[] }> };
    }) => {
      const { Key, Item: put, RequestItems = {} } = command.input;
      const name = command.constructor.name.replace("Command", "");
      const idOf = (item: Item = {}) => JSON.stringify(KEYS.map((key) => item[key]?.S));
      const before = memory.items.get(idOf(Key ?? put));
      calls.push(name);
      for (const { Keys } of Object.values(RequestItems)) {
        for (const key of Keys) units.read += readUnits(memory.items.get(idOf(key)));
      }
      if (name === "GetItem") units.read += readUnits(before);
      try {
        return (await memory.client.send(command as never)) as object;
      } finally {
        const after = memory.items.get(idOf(Key ?? put));
        if (/^(Put|Delete)/.test(name)) units.write += writeUnits(before, after, indexes, KEYS);
      }
    },
  } as never;
  const table = { tableName: "t" };
  const stores = {
    sessions: new DynamoDbSessionStore(client, table),
    lookups: new DynamoDbConnectionLookups(client, table),
    userConnections: new DynamoDbUserConnections(client, table),
  };
  const log = new RecordedLog();
  const gateway = new MemoryConnections();
  gateway.gone = false;
  const settings = {
    ...stores,
    authenticator: { authenticate: () => Promise.resolve({ user: KEY.user, expiresAt: NOW / 1000 + 3_600 }) },
    metrics: new RecordedMetrics(),
    log,
    connectionsOfSession: connections,
    connections: gateway,
    sessionTtlSeconds: 10_800,
    endSessionWithToken,
    now: () => now,
  };
  const $connect =
    delivery === "replay"
      ? connectReplay({
          ...settings,
          markers: new DynamoDbSessionMarkers(client, table),
          historyRetentionSeconds: 86_400,
        })
      : connect(settings);
  const $disconnect = disconnect({ ...stores, log });
  return {
    units,
    calls,
    /** What was counted since the last call of it. */
    counted: () => {
      const counted = { ...units };
      Object.assign(units, { write: 0, read: 0 });
      calls.length = 0;
      return counted;
    },
    connect: async (connectionId: string, connectedAt = NOW) => {
      now = Math.max(now, connectedAt);
      const headers: Record<string, string> =
        delivery === "replay" ? { "Sec-WebSocket-Protocol": "websocket-relay.v1" } : {};
      const query = { context: "conversation", contextId: KEY.contextId };
      const { statusCode } = await $connect(connectEvent({ connectionId, connectedAt, query, headers }), invocation());
      expect(statusCode).to.equal(200);
    },
    disconnect: async (connectionId: string) => {
      await $disconnect({ requestContext: { connectionId, requestId: "r1" } });
    },
  };
}

describe("a connection's life", () => {
  for (const connections of ["newest", "all"] as const) {
    for (const [name, given, units] of [
      ["in retry mode", { delivery: "retry" }, { write: 3, read: 4 }],
      ["in replay mode", { delivery: "replay" }, { write: 3, read: 5 }],
      [
        "in retry mode, with the index by connection",
        { delivery: "retry", indexes: [connectionIndex] },
        { write: 5, read: 4 },
      ],
      [
        "in replay mode, with sessions that end with their token",
        { delivery: "replay", indexes: [tokenExpiryIndex], endSessionWithToken: true },
        { write: 6, read: 5 },
      ],
    ] as const) {
      it(`takes ${units.write} write units and ${units.read} read units ${name} (${connections})`, async () => {
        const relay = metered({ ...given, connections });
        if (given.delivery === "replay") {
          // The first one of the day: it marks the session.
          await relay.connect("first=");
          await relay.disconnect("first=");
          expect(relay.counted()).to.deep.equal({ write: units.write + 1, read: units.read });
        }
        await relay.connect("LMNOPqrstuvwxyz=");
        await relay.disconnect("LMNOPqrstuvwxyz=");
        expect(relay.counted()).to.deep.equal(units);
      });
    }

    it(`takes one write unit and one read unit more where the session has another connection (${connections})`, async () => {
      const relay = metered({ delivery: "retry", connections });
      await relay.connect("a=");
      await relay.connect("b=", NOW + 1);
      await relay.disconnect("a=");
      await relay.disconnect("b=");
      expect(relay.counted()).to.deep.equal({ write: 7, read: 9 });
    });
  }

  it("marks its session at most once a day, without another call", async () => {
    const relay = metered({ delivery: "replay" });
    const marks = async (afterSeconds: number) => {
      relay.counted();
      await relay.connect(`${afterSeconds}=`, NOW + afterSeconds * 1000);
      const puts = relay.calls.filter((name) => name === "PutItem").length;
      expect(relay.calls.filter((name) => name !== "PutItem")).to.deep.equal(["BatchGetItem", "GetItem"]);
      return puts - 2;
    };
    expect([
      await marks(0),
      await marks(1),
      await marks(86_400),
      await marks(86_401),
      await marks(172_801),
    ]).to.deep.equal([1, 0, 0, 1, 0]);
  });

  it("takes three write units to open and four to end as the eleventh of its session, whose row is larger", async () => {
    const relay = metered({ delivery: "replay", connections: "all" });
    const ids = Array.from({ length: 11 }, (_, index) => `${String(index).padStart(2, "0")}KLMNOPqrstuvw=`);
    const costs: object[] = [];
    for (const [index, id] of ids.entries()) {
      await relay.connect(id, NOW + index * 60_000);
      costs.push(relay.counted());
    }
    expect([costs[1], costs[9], costs[10]]).to.deep.equal([
      { write: 2, read: 4 },
      { write: 3, read: 4 },
      { write: 3, read: 4 },
    ]);
    await relay.disconnect("10KLMNOPqrstuvw=");
    expect(relay.counted()).to.deep.equal({ write: 4, read: 2 });
  });
});
