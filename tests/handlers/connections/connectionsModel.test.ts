import { expect } from "chai";
import { connect } from "../../../handlers/connect/connect";
import { DynamoDbConnectionIndex } from "../../../handlers/connections/connectionIndex";
import { DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import { DynamoDbUserConnections } from "../../../handlers/connections/userConnections";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { rowOf } from "../../../handlers/sessions/sessionItems";
import { sessionId } from "../../../handlers/sessions/sessionKey";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";

const FIRST_SEED = 20_261_128;
const RUNS = 1_000;
const KEY = { callerId: "user#42", context: "chat#7" };
const TABLE = { tableName: "t" };

/** What the run is made to get wrong, to see that it would be noticed. */
type Mistake = "rows that are written unconditionally" | "rows that are deleted unconditionally";

type State = "open" | "ended" | "refused" | "crashed";

/**
 * Up to eight connections of one session open and end, every request being a step that may come at any time. One of them may
 * have been opened under 0.1.0. The answer to a write of the row may be lost, so that the SDK sends it again. `connect` may
 * crash before any request: its connection then never opens, and has no `$disconnect`.
 */
class Model {
  readonly table = new MemoryDynamoDb();
  readonly connections = new Map<string, { connectedAt: number; state: State }>();
  private readonly steps: Interleaving;

  constructor(seed: number, mistake?: Mistake) {
    const steps = new Interleaving(seed);
    this.steps = steps;
    this.table.beforeRequest = async (name, request) => {
      await steps.turn();
      const isMistaken =
        (mistake === "rows that are written unconditionally" && name === "PutItem") ||
        (mistake === "rows that are deleted unconditionally" && name === "DeleteItem");
      if (isMistaken) delete request.ConditionExpression;
    };
    this.table.losesAnswer = (_, { Key, Item }) => (Key ?? Item)?.context?.S === KEY.context && steps.random() < 0.1;
  }

  async run(): Promise<void> {
    if (this.steps.random() < 0.3) this.openUnder010("old");
    for (let i = 0; i <= this.steps.random() * 7; i++) this.steps.start(() => this.client(`c${i}`));
    await this.steps.finish();
  }

  /** What is wrong with the table. */
  problem(): string | undefined {
    const item = this.table.items.get(sessionId(KEY));
    const row = item && rowOf(item);
    const inRow = new Set(row?.connections.map(({ connectionId }) => connectionId));
    const all = [...this.connections].map(([id, connection]) => ({ id, ...connection }));
    for (const { id, state, connectedAt } of all) {
      const hasLookup = this.table.items.has(sessionId({ callerId: `connection#${id}`, context: "#connection" }));
      if (state === "open" && !inRow.has(id)) return `${id} is open and not in the row`;
      if (state === "open" && !hasLookup && id !== "old") return `${id} is open and has no lookup`;
      if (state !== "open" && state !== "crashed" && inRow.has(id)) return `${id} is ${state} and in the row`;
      // Of a connection that has ended, the table's TTL deletes it.
      if (state === "refused" && hasLookup) return `${id} is refused and has a lookup`;
      const newer = all.filter((each) => each.state !== "refused" && each.id !== id && each.connectedAt >= connectedAt);
      if (state === "refused" && newer.length === 0) return `${id} is refused and the newest`;
      const holder = row?.session?.connectionId;
      if (state === "open" && newer.length === 0 && holder !== id) return `${id} is the newest, not ${holder}`;
    }
    return undefined;
  }

  private openUnder010(connectionId: string): void {
    const { steps, table } = this;
    table.items.set(sessionId(KEY), {
      caller_id: { S: KEY.callerId },
      context: { S: KEY.context },
      connection_id: { S: connectionId },
      connected_at: { N: String(steps.now - 1) },
      expiration_date: { N: String(Math.floor(steps.now / 1000) + 10_800) },
    });
    this.connections.set(connectionId, { connectedAt: steps.now - 1, state: "open" });
    if (steps.random() < 0.6) steps.start(() => this.end(connectionId));
  }

  private async client(connectionId: string): Promise<void> {
    const { steps } = this;
    await steps.turn();
    const connectedAt = Math.floor(steps.now);
    const invocation = this.stores(steps.random() < 0.1 ? Math.floor(steps.random() * 4) : Infinity);
    const $connect = connect({
      authenticator: { authenticate: () => Promise.resolve({ user: "42" }) },
      ...invocation,
      metrics: new RecordedMetrics(),
      log: new RecordedLog(),
      now: () => steps.now,
      sessionTtlSeconds: 10_800,
      endSessionWithToken: false,
    });
    this.connections.set(connectionId, { connectedAt, state: "crashed" });
    const query = { context: "chat", contextId: "7" };
    const { statusCode } = await $connect(connectEvent({ connectionId, connectedAt, query }));
    if (invocation.isCrashed()) return;
    this.connections.set(connectionId, { connectedAt, state: statusCode === 200 ? "open" : "refused" });
    if (statusCode === 200 && steps.random() < 0.7) await this.end(connectionId);
  }

  private async end(connectionId: string): Promise<void> {
    await this.steps.turn();
    const { client } = this.table;
    // The query shows all rows of the table, as an index that lags may show rows of other connections.
    const index = new DynamoDbConnectionIndex(client, { ...TABLE, indexName: "i" });
    index.find = () => Promise.resolve([KEY]);
    const $disconnect = disconnect({ ...this.stores(), index, log: new RecordedLog() });
    const { statusCode } = await $disconnect({ requestContext: { connectionId, requestId: "r1" } });
    expect(statusCode).to.equal(200);
    const { connectedAt = 0 } = this.connections.get(connectionId) ?? {};
    this.connections.set(connectionId, { connectedAt, state: "ended" });
  }

  /** The stores of one invocation, which crashes after so many requests. */
  private stores(requests = Infinity) {
    let left = requests;
    const send = async (command: never) => {
      if (left-- <= 0) throw new Error("crashed");
      return await this.table.client.send(command);
    };
    const client = { send } as unknown as typeof this.table.client;
    return {
      sessions: new DynamoDbSessionStore(client, TABLE),
      lookups: new DynamoDbConnectionLookups(client, TABLE),
      userConnections: new DynamoDbUserConnections(client, TABLE),
      isCrashed: () => left < 0,
    };
  }
}

/** The first run after which the table is wrong. */
async function firstFailure(mistake?: Mistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const model = new Model(seed, mistake);
    await model.run();
    const problem = model.problem();
    if (problem) return `seed ${seed}: ${problem}`;
  }
  return undefined;
}

describe("connect and disconnect, whatever comes between their requests", () => {
  it(`keep every open connection in its session's row, and no other (${RUNS} random runs)`, async () => {
    expect(await firstFailure()).to.equal(undefined);
  });

  for (const mistake of ["rows that are written unconditionally", "rows that are deleted unconditionally"] as const) {
    it(`would not pass with ${mistake}`, async () => {
      expect(await firstFailure(mistake)).to.be.a("string");
    });
  }
});
