import { expect } from "chai";
import { followState, type FollowStateOptions, RelayClient, type Snapshot } from "../../client";
import { startOf } from "../../handlers/history/recovery";
import type { Acknowledgement, Cursor, Hello, MessageEnvelope, Ping, Resume } from "../../protocol";
import { type FakeSocket, FakeSockets } from "../support/fakeSocket";
import { mulberry32 } from "../support/mulberry32";
import { VirtualClock } from "../support/virtualClock";

const INTERLEAVINGS = 10_000;
const PARTS = ["a", "b"];

type Rows = Record<string, number>;
type Options = FollowStateOptions<Rows>;

/** What a program could do wrong, or the helper: each must be noticed. */
const MISTAKES: Record<string, (world: World, tab: Tab) => Partial<Options & ReturnType<typeof followState>>> = {
  "reads the position after the snapshot": (world) => ({
    getState: async () => {
      const snapshot = await world.readRows();
      return { ...snapshot, position: await world.readPosition() };
    },
  }),
  "does not load the state on a gap": () => ({ onGap: () => undefined }),
  "compares no versions": () => ({ compare: () => 1 }),
  "compares the versions of different parts": () => ({ partOf: () => "" }),
  "does not load the state again if an update could not be applied": (_, tab) => ({
    applyUpdate: (message, version) => {
      // As if it were done: followState gets no error.
      if (!tab.mayFail()) tab.apply(message.body, version);
    },
  }),
};

// A database whose rows have versions, publishers that write and then publish, and a relay that keeps messages for a while only.
describe("followState", () => {
  it(`misses no update and applies none over a newer one, in ${INTERLEAVINGS} interleavings`, async () => {
    const seen = { gaps: 0, loads: 0, dropped: 0, failed: 0 };
    for (let seed = 1; seed <= INTERLEAVINGS; seed++) {
      const world = new World(seed);
      expect(await world.run(), `seed ${seed}`).to.deep.equal([]);
      for (const name of ["gaps", "loads", "dropped", "failed"] as const) seen[name] += world.seen[name];
    }
    // Each kind of fault was there.
    for (const count of Object.values(seen)) expect(count, JSON.stringify(seen)).to.be.greaterThan(INTERLEAVINGS / 20);
  }).timeout(60_000);

  for (const [mistake, make] of Object.entries(MISTAKES)) {
    it(`is noticed by this test if a program ${mistake}`, async () => {
      let problems: string[] = [];
      for (let seed = 1; seed <= INTERLEAVINGS && problems.length === 0; seed++)
        problems = await new World(seed, make).run();
      expect(problems).not.to.deep.equal([]);
    });
  }
});

/** A page: its state, and whether it is still open. */
class Tab {
  rows: Rows = {};
  isOpen = true;

  constructor(
    private readonly world: World,
    readonly mayFail: () => boolean,
  ) {}

  apply(part: string, version: number): void {
    if (version <= (this.rows[part] ?? 0)) {
      this.world.problems.push(`${part} ${version} was applied over ${this.rows[part]}`);
    }
    this.rows[part] = version;
  }
}

class World {
  readonly problems: string[] = [];
  readonly seen = { gaps: 0, loads: 0, dropped: 0, failed: 0 };
  private readonly random: () => number;
  private readonly clock = new VirtualClock();
  private readonly sockets = new FakeSockets();
  /** The database. */
  private readonly rows: Rows = {};
  private version = 0;
  /** The relay's history. */
  private log: MessageEnvelope[] = [];
  private epoch = 0;
  private newest = 0;
  private hasLostHistory = false;
  private hadNoPosition = false;
  private isStormy = true;
  private readonly tabs: { tab: Tab; client: RelayClient }[] = [];

  constructor(
    seed: number,
    private readonly mistake: (typeof MISTAKES)[string] = () => ({}),
  ) {
    this.random = mulberry32(seed);
    this.sockets.onNew = (socket) => {
      socket.onSent = (action) => this.later(() => this.received(socket, action));
      this.later(() => (this.happens(0.1) ? socket.end() : socket.accept()));
    };
  }

  /** @returns the problems. */
  async run(): Promise<string[]> {
    const writes = 2 + Math.floor(this.random() * 6);
    // Writes, and with them messages, may come before the first page, and while it loads.
    const opens = [Math.floor(this.random() * writes), Math.floor(this.random() * writes)];
    for (let count = 0; count < writes; count++) {
      for (const at of opens) if (at === count) this.open();
      this.write();
      await this.clock.advance(this.random() * 150);
      if (this.happens(0.2)) this.sockets.live.forEach((socket) => socket.end());
      if (this.happens(0.2)) this.log = this.log.slice(Math.ceil(this.random() * this.log.length));
      if (this.happens(0.03)) this.loseHistory();
      if (this.happens(0.1)) this.reload();
    }
    this.isStormy = false;
    // An answer of the lost history may have come after a message of the new one: the next resume notices that.
    if (this.hasLostHistory)
      await this.clock.advance(200).then(() => this.sockets.live.forEach((socket) => socket.end()));
    await this.clock.advance(3_000);
    for (const { tab, client } of this.tabs) {
      client.close();
      if (!tab.isOpen) continue;
      for (const part of PARTS) {
        if (tab.rows[part] !== this.rows[part]) {
          this.problems.push(`${part} is ${tab.rows[part]}, and ${this.rows[part]} in the database`);
        }
      }
    }
    return this.problems;
  }

  async readPosition(): Promise<Cursor | undefined> {
    await this.pause();
    this.hadNoPosition ||= this.newest === 0;
    return this.newest > 0 ? { epoch: `e${this.epoch}`, seq: this.newest } : undefined;
  }

  /** A snapshot of the database, which arrives later than it is read. */
  async readRows(): Promise<Snapshot<Rows, number>> {
    await this.pause();
    if (this.happens(0.1)) {
      this.seen.failed++;
      throw new Error("the database is busy");
    }
    const snapshot = { state: { ...this.rows }, version: this.version };
    await this.pause();
    this.seen.loads++;
    return snapshot;
  }

  private open(): void {
    const tab = new Tab(this, () => this.happens(0.05));
    const { clock, random } = this;
    const timing = { backoffBaseMs: 50, backoffCapMs: 100, clock, random };
    const options: Options = {
      getState: async () => {
        const position = await this.readPosition();
        return { ...(await this.readRows()), position };
      },
      applyState: (rows) => void (tab.rows = rows),
      versionOf: ({ id }) => Number(id),
      partOf: ({ body }) => body,
      applyUpdate: async ({ body }, version) => {
        if (this.happens(0.3)) await this.pause();
        if (tab.mayFail()) throw new Error("the page is busy");
        tab.apply(body, version);
      },
      compare: (a, b) => {
        if (a <= b) this.seen.dropped++;
        return a - b;
      },
      onError: () => undefined,
      ...timing,
      ...this.mistake(this, tab),
    };
    const following = followState(options);
    const client = new RelayClient({
      url: "wss://relay.test/live",
      context: "board",
      contextId: "7",
      onError: () => undefined,
      WebSocket: this.sockets.WebSocket,
      heartbeatIntervalMs: 540_000,
      resumeTimeoutMs: 300,
      gapWaitMs: 20,
      ...timing,
      ...following,
      onGap: (gap) => {
        this.seen.gaps++;
        return (this.mistake(this, tab).onGap ?? following.onGap)(gap);
      },
    });
    this.tabs.push({ tab, client });
    client.connect();
  }

  private loseHistory(): void {
    // A page that has seen no epoch cannot notice that one was lost.
    if (this.hadNoPosition) return;
    this.log = [];
    this.newest = 0;
    this.hasLostHistory = true;
  }

  /** A page is opened again: what it has shown is gone. */
  private reload(): void {
    const last = this.tabs.at(-1);
    if (!last) return;
    last.tab.isOpen = false;
    last.client.close();
    this.open();
  }

  /** A publisher writes, and publishes afterwards: others may write and publish in between. */
  private write(): void {
    const part = PARTS[Math.floor(this.random() * PARTS.length)] as string;
    const version = (this.rows[part] = ++this.version);
    this.later(() => this.publish(part, version));
  }

  private publish(part: string, version: number): void {
    if (this.newest === 0) this.epoch++;
    const seq = ++this.newest;
    const message: MessageEnvelope = {
      type: "message",
      id: String(version),
      epoch: `e${this.epoch}`,
      seq,
      body: part,
      // Its `expiresAt` passed before it arrives.
      ...(this.happens(0.05) && { body: undefined, expired: true }),
    };
    this.log.push(message);
    for (const socket of this.sockets.live) this.later(() => socket.receive(message));
  }

  private received(socket: FakeSocket, action: Resume | Acknowledgement | Ping): void {
    if (action.action !== "resume") return;
    const { newest, log } = this;
    const epoch = newest > 0 ? `e${this.epoch}` : undefined;
    const oldest = log[0]?.seq ?? newest + 1;
    const { first, lost } = startOf(action, { epoch, oldest, newest }, undefined);
    const hello: Hello = { type: "hello", ...(epoch && { epoch }), oldest, newest };
    const resumed = { type: "resumed", recovered: !lost, ...(lost && { lost }), first, through: newest };
    const page = log.filter(({ seq }) => seq >= first);
    this.later(() => socket.receive(hello, resumed, ...page));
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }

  private later(then: () => void): void {
    this.clock.setTimeout(then, this.random() * 100);
  }

  private happens(probability: number): boolean {
    return this.isStormy && this.random() < probability;
  }
}
