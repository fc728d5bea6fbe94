import { expect } from "chai";
import { type Index, type Item, readUnits, writeUnits } from "../../../bench/capacity";
import { connect } from "../../../handlers/connect/connect";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import { DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent } from "../../support/events";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";

const NOW = 1_700_000_001_000;
const KEYS = ["caller_id", "context"];
const connectionIndex: Index = { keys: ["connection_id"], projected: [] };
const tokenExpiryIndex: Index = { keys: ["expiry_shard", "token_expires_at"], projected: [] };

/** A table whose requests are counted in units of capacity. */
function metered(indexes: readonly Index[], delivery: "retry" | "replay", endSessionWithToken: boolean) {
  const memory = new MemoryDynamoDb();
  const units = { write: 0, read: 0 };
  const client = {
    send: async (command: { constructor: { name: string }; input: { Key?: Item; Item?: Item } }) => {
      const { Key, Item: put } = command.input;
      const keyOf = (item: Item = {}) => JSON.stringify(KEYS.map((key) => item[key]?.S));
      const before = memory.items.get(keyOf(Key ?? put));
      if (command.constructor.name === "BatchGetItemCommand") units.read += 2;
      else if (command.constructor.name === "GetItemCommand") units.read += readUnits(before);
      try {
        return (await memory.client.send(command as never)) as object;
      } finally {
        const after = memory.items.get(keyOf(Key ?? put));
        if (/^(Put|Delete)/.test(command.constructor.name)) units.write += writeUnits(before, after, indexes, KEYS);
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
  const settings = {
    ...stores,
    authenticator: { authenticate: () => Promise.resolve({ user: "u".repeat(36), expiresAt: NOW / 1000 + 3_600 }) },
    metrics: new RecordedMetrics(),
    log,
    sessionTtlSeconds: 10_800,
    endSessionWithToken,
    now: () => NOW,
  };
  const $connect =
    delivery === "replay" ? connectReplay({ ...settings, connections: new MemoryConnections() }) : connect(settings);
  const $disconnect = disconnect({ ...stores, log });
  return {
    units,
    connect: async (connectionId: string, connectedAt = NOW) => {
      const headers: Record<string, string> =
        delivery === "replay" ? { "Sec-WebSocket-Protocol": "websocket-relay.v1" } : {};
      const query = { context: "conversation", contextId: "c".repeat(36) };
      const { statusCode } = await $connect(connectEvent({ connectionId, connectedAt, query, headers }));
      expect(statusCode).to.equal(200);
    },
    disconnect: async (connectionId: string) => {
      await $disconnect({ requestContext: { connectionId, requestId: "r1" } });
    },
  };
}

describe("a connection's life", () => {
  for (const [delivery, name, indexes, endsWithToken, write] of [
    ["retry", "", [], false, 3],
    ["replay", "", [], false, 3],
    ["retry", ", with the index by connection", [connectionIndex], false, 5],
    ["replay", ", with sessions that end with their token", [tokenExpiryIndex], true, 6],
  ] as const) {
    it(`takes ${write} write units and four read units in ${delivery} mode${name}`, async () => {
      const relay = metered(indexes, delivery, endsWithToken);
      await relay.connect("LMNOPqrstuvwxyz=");
      await relay.disconnect("LMNOPqrstuvwxyz=");
      expect(relay.units).to.deep.equal({ write, read: 4 });
    });
  }

  it("takes one write unit and one read unit more if another one has taken over its session", async () => {
    const relay = metered([], "replay", false);
    await relay.connect("a=");
    await relay.connect("b=", NOW + 1);
    await relay.disconnect("a=");
    await relay.disconnect("b=");
    expect(relay.units).to.deep.equal({ write: 7, read: 9 });
  });
});
