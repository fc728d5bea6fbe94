import { expect } from "chai";
import { connect } from "../../../handlers/connect/connect";
import { disconnect } from "../../../handlers/disconnect/disconnect";
import { disconnectUser } from "../../../handlers/operations/disconnectUser";
import { RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryTable } from "../../support/memoryTable";

const FIRST_SEED = 20_261_125;
const RUNS = 2_000;
const MAX_HANDSHAKE_MS = 29_000;

/** What the run is made to get wrong, to see that it would be noticed. */
type Mistake = "one look at the block" | "a pending connection taken for closed";

/**
 * A user's clients connect, leave and are superseded while the user is disconnected, every call of any of them being a step that
 * may come at any time. The gateway is as AWS's: a connection is open only once `$connect` has answered 200, within 29
 * seconds; before, it is "gone". `$disconnect` is sometimes not called, and its index sometimes lags.
 */
class Model {
  readonly table = new MemoryTable();
  readonly connections = new Map<string, "pending" | "open" | "over">();
  private readonly steps: Interleaving;
  private readonly log = new RecordedLog();

  constructor(
    seed: number,
    private readonly mistake?: Mistake,
  ) {
    this.steps = new Interleaving(seed);
    this.table.beforeCall = () => this.steps.turn();
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

  /** A client that connects and may leave again. */
  private async client(connectionId: string): Promise<void> {
    const { steps, table } = this;
    await steps.turn();
    const connectedAt = steps.now;
    this.connections.set(connectionId, "pending");
    const $connect = connect({
      authenticator: { authenticate: () => Promise.resolve({ user: "42" }) },
      sessions: table,
      metrics: new RecordedMetrics(),
      log: this.log,
      now: () => steps.now,
      sessionTtlSeconds: 10_800,
      endSessionWithToken: false,
      userConnections: this.userConnections(),
    });
    const query = { context: "chat", contextId: steps.random() < 0.7 ? "7" : "8" };
    const { statusCode } = await $connect(connectEvent({ connectionId, connectedAt: Math.floor(connectedAt), query }));
    await steps.turn();
    const opens = statusCode === 200 && steps.now - connectedAt <= MAX_HANDSHAKE_MS;
    this.connections.set(connectionId, opens ? "open" : "over");
    if (!opens || steps.random() < 0.7) return;
    await steps.turn();
    this.end(connectionId);
  }

  private async operator(): Promise<void> {
    const { steps, table } = this;
    await steps.turn();
    await disconnectUser(
      {
        sessions: table,
        userConnections: table,
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
    const lags = this.steps.random() < 0.3;
    const sessions = lags ? Object.assign(Object.create(this.table), { findByConnection: () => [] }) : this.table;
    this.steps.start(async () => {
      await disconnect({ sessions, log: this.log })({ requestContext: { connectionId, requestId: "r1" } });
    });
  }

  private userConnections(): Pick<MemoryTable, "add" | "blockedUntil"> {
    const { table } = this;
    let looks = 0;
    return {
      add: (connection) => table.add(connection),
      blockedUntil: (callerId) => {
        looks += 1;
        const blind = this.mistake === "one look at the block" && looks > 1;
        return blind ? Promise.resolve(undefined) : table.blockedUntil(callerId);
      },
    };
  }
}

/** The first run that leaves a connection open or something of one standing. */
async function firstFailure(mistake?: Mistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const model = new Model(seed, mistake);
    await model.run();
    const open = model.openConnections();
    const left = [...model.table.rows.keys(), ...model.table.connections.keys()];
    if (open.length + left.length > 0) return `seed ${seed}: open ${open.join()}; left ${left.join()}`;
  }
  return undefined;
}

describe("disconnectUser, whatever comes between its calls and those of connect", () => {
  it(`leaves no connection of the user open, and nothing of one standing (${RUNS} random runs)`, async () => {
    expect(await firstFailure()).to.equal(undefined);
  });

  for (const mistake of ["one look at the block", "a pending connection taken for closed"] as const) {
    it(`would not pass with ${mistake}`, async () => {
      expect(await firstFailure(mistake)).to.be.a("string");
    });
  }
});
