import { CreateTableCommand, DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { liveConnections, withoutHandshake } from "../../../handlers/sessions/sessionRow";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { tableClient } from "../../../local/dynamodb/tableClient";
import { Tables } from "../../../local/dynamodb/tables";
import { Trace } from "../../../local/trace/trace";

const at = 1_700_000_000_000;

describe("a session's row, on a real table", () => {
  let tables: Tables;
  let client: ReturnType<typeof tableClient>;
  let store: DynamoDbSessionStore;

  before(async () => {
    tables = await Tables.start({ trace: new Trace() });
    client = tableClient(tables);
    await client.send(
      new CreateTableCommand({
        TableName: "sessions",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: ["caller_id", "context"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        KeySchema: [
          { AttributeName: "caller_id", KeyType: "HASH" },
          { AttributeName: "context", KeyType: "RANGE" },
        ],
      }),
    );
    const status = async () =>
      (await client.send(new DescribeTableCommand({ TableName: "sessions" }))).Table?.TableStatus;
    while ((await status()) !== "ACTIVE");
    store = new DynamoDbSessionStore(client, { tableName: "sessions" });
  });
  after(async () => {
    client.destroy();
    await tables.close();
  });

  const session = (contextId: string, index: number): Session => ({
    callerId: "user#42",
    context: `chat#${contextId}`,
    connectionId: `c${index}`,
    connectedAt: at + index,
    expirationDate: at / 1000 + 10_800,
  });
  const liveOf = async (key: Session) => {
    const row = await store.read(key);
    return row && liveConnections(row).map(({ connectionId }) => connectionId);
  };

  it("is as before a handshake that failed, only as long as no other connection has changed it", async () => {
    const [first, second, third] = [0, 1, 2].map((index) => session("one", index)) as [Session, Session, Session];
    await store.save(first, "newest");
    const before = await store.read(first);
    await store.save(second, "newest", before);
    await store.removeConnection(second, "c1", undefined, withoutHandshake);
    const after = await store.read(first);
    expect({ ...after, revision: undefined }).to.deep.equal({ ...before, revision: undefined });
    expect(after?.revision).not.to.equal(before?.revision);

    await store.save(second, "newest", after);
    await store.save(third, "newest", await store.read(first));
    await store.removeConnection(second, "c1", undefined, withoutHandshake);
    expect(await liveOf(first)).to.deep.equal(["c2"]);
    await store.removeConnection(third, "c2", undefined, withoutHandshake);
    expect(await liveOf(first)).to.deep.equal(["c0"]);
  });

  for (const connections of ["newest", "all"] as const) {
    it(`has its first connection back when eight handshakes at the same time have failed, ${connections}`, async () => {
      const first = session(connections, 0);
      await store.save(first, connections);
      const handshake = async (index: number) => {
        const own = session(connections, index);
        await store.save(own, connections, await store.read(own));
        await store.removeConnection(own, own.connectionId, undefined, withoutHandshake);
      };
      await Promise.all(Array.from({ length: 8 }, (_, index) => handshake(index + 1)));
      const row = await store.read(first);
      expect(row?.connections).to.deep.equal([
        { connectionId: "c0", connectedAt: at, expirationDate: first.expirationDate },
      ]);
    });
  }
});
