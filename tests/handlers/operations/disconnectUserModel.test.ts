import { expect } from "chai";
import { connect } from "../../../handlers/connect/connect";
import { DynamoDbConnectionLookups } from "../../../handlers/connections/connectionLookups";
import { DynamoDbUserConnections, type UserConnections } from "../../../handlers/connections/userConnections";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { disconnectUser } from "../../../handlers/operations/disconnectUser";
import type { Connections } from "../../../handlers/sessions/sessionRow";
import { DynamoDbSessionStore } from "../../../handlers/sessions/sessionStore";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryDynamoDb } from "../../support/memoryDynamoDb";

const FIRST_SEED = 20_261_125;
const RUNS = 2_000;
const MAX_HANDSHAKE_MS = 29_000;

/** What the run is made to get wrong, to see that it would be noticed. */
type Mistake =
  "one look at the block" | "a pending connection taken for closed" | "rows that are written unconditionally";

/**
 * A user's clients connect, leave and are superseded while the user is disconnected, every request of any of them being a step
 * that may come at any time. A handshake may fail once it is saved. The gateway is as AWS's: a connection is open only once `$connect` has answered 200, within 29
 * seconds; before, it is "gone". `$disconnect` is sometimes not called.
 */
class Model {
  readonly table = new MemoryDynamoDb();
  readonly connections = new Map<string, "pending" | "open" | "over">();
  private readonly ended = new Set<string>();
  private readonly steps: Interleaving;
  private readonly setting: Connections;
  private readonly log = new RecordedLog();

  constructor(
    seed: number,
    private readonly mistake?: Mistake,
  ) {
    this.steps = new Interleaving(seed);
    this.setting = this.steps.random() < 0.5 ? "newest" : "all";
    this.table.beforeRequest = async (name, request) => {
      await this.steps.turn();
      if (mistake === "rows that are written unconditionally" && name === "PutItem") delete request.ConditionExpression;
    };
  }

  async run(): Promise<void> {
    const { steps } = this;
    for (let i = 0; i <= steps.random() * 4; i++) steps.start(() => this.client(`c${i}`));
    for (let i = 0; i <= steps.random() * 1.3; i++) steps.start(() => this.operator());
    await steps.finish();
  }

  openConnections(): string[] {
    return [...this.connections].filter(([, state]) => state === "open").map(([connectionId]) => connectionId);
  }

  leftovers(): string[] {
    return this.table
      .leftovers()
      .filter((id) => ![...this.ended].some((connectionId) => id.includes(`#${connectionId}`)));
  }

  /** A client that connects and may leave again. */
  private async client(connectionId: string): Promise<void> {
    const { steps } = this;
    await steps.turn();
    const connectedAt = steps.now;
    this.connections.set(connectionId, "pending");
    const $connect = connect({
      authenticator: { authenticate: () => Promise.resolve({ user: "42" }) },
      ...this.stores(),
      connectionsOfSession: this.setting,
      metrics: new RecordedMetrics(),
      log: this.log,
      now: () => steps.now,
      sessionTtlSeconds: 10_800,
      endSessionWithToken: false,
      userConnections: this.userConnections(),
    });
    const query = { context: "chat", contextId: steps.random() < 0.7 ? "7" : "8" };
    const { statusCode } = await $connect(
      connectEvent({ connectionId, connectedAt: Math.floor(connectedAt), query }),
      invocation(),
    );
    await steps.turn();
    const opens = statusCode === 200 && steps.now - connectedAt <= MAX_HANDSHAKE_MS;
    this.connections.set(connectionId, opens ? "open" : "over");
    if (!opens || steps.random() < 0.7) return;
    await steps.turn();
    this.end(connectionId);
  }

  private async operator(): Promise<void> {
    const { steps } = this;
    await steps.turn();
    await disconnectUser(
      {
        ...this.stores(),
        now: () => steps.now,
        wait: (ms) => steps.turn(ms),
        connections: {
          close: async (connectionId) => {
            await steps.turn();
            const state = this.connections.get(connectionId);
            if (state === "open") this.end(connectionId);
            const closed = state === "open" || this.mistake === "a pending connection taken for closed";
            return closed ? "closed" : "gone";
          },
        },
      },
      "42",
      { blockSeconds: 86_400 },
    );
  }

  private end(connectionId: string): void {
    if (this.connections.get(connectionId) !== "open") return;
    this.connections.set(connectionId, "over");
    if (this.steps.random() < 0.3) return;
    this.steps.start(async () => {
      this.ended.add(connectionId);
      await disconnect({ ...this.stores(), log: this.log })({ requestContext: { connectionId, requestId: "r1" } });
    });
  }

  private stores() {
    const { client } = this.table;
    const table = { tableName: "t" };
    return {
      sessions: new DynamoDbSessionStore(client, table),
      lookups: new DynamoDbConnectionLookups(client, table),
      userConnections: new DynamoDbUserConnections(client, table),
    };
  }

  /** The second look at the block, which may fail: the first one is at the row as well. */
  private userConnections(): Pick<UserConnections, "blockedUntil"> {
    if (this.mistake === "one look at the block") return { blockedUntil: () => Promise.resolve(undefined) };
    const { userConnections } = this.stores();
    if (this.steps.random() < 0.8) return userConnections;
    return {
      blockedUntil: async (callerId) => {
        await userConnections.blockedUntil(callerId);
        throw new Error("no answer");
      },
    };
  }
}

/** The first run that leaves a connection open or in the table, besides the lookups of those that have ended: TTL deletes them. */
async function firstFailure(mistake?: Mistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const model = new Model(seed, mistake);
    await model.run();
    const open = model.openConnections();
    const left = model.leftovers();
    if (open.length + left.length > 0) return `seed ${seed}: open ${open.join()}; left ${left.join()}`;
  }
  return undefined;
}

describe("disconnectUser, whatever comes between its calls and those of connect", () => {
  it(`leaves no connection of the user open, and no item of one in the table that is not left to TTL (${RUNS} random runs)`, async () => {
    expect(await firstFailure()).to.equal(undefined);
  });

  for (const mistake of [
    "one look at the block",
    "a pending connection taken for closed",
    "rows that are written unconditionally",
  ] as const) {
    it(`would not pass with ${mistake}`, async () => {
      expect(await firstFailure(mistake)).to.be.a("string");
    });
  }
});
