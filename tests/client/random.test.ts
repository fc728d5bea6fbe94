import { expect } from "chai";
import { RelayClient, type RelayClientOptions } from "../../client";
import type { Acknowledgement, Cursor, Envelope, Ping, Resume } from "../../protocol";
import { type FakeSocket, FakeSockets } from "../support/fakeSocket";
import { VirtualClock } from "../support/virtualClock";

const PUBLISHED = 400;
const PAGE = 20;

// Against a model of a relay that keeps all messages, over an unreliable network. What the model does at once,
// a real relay does in steps: that is tested where both are.
describe("the client, under random faults", () => {
  for (let seed = 1; seed <= 40; seed++) {
    it(`shows every message once and in order (${seed})`, async () => {
      const world = new World(seed);
      await world.run();
      const expected = Array.from({ length: PUBLISHED }, (_, index) => `m${index + 1}`);
      expect(world.shown).to.deep.equal(expected);
      expect(world.acknowledged).to.deep.equal({ epoch: "e1", seq: PUBLISHED });
      expect([world.gaps, world.superseded]).to.deep.equal([0, 0]);
    });
  }
});

class World {
  readonly shown: string[] = [];
  acknowledged: Cursor | undefined;
  gaps = 0;
  superseded = 0;
  private readonly clock = new VirtualClock();
  private readonly sockets = new FakeSockets();
  private readonly log: string[] = [];
  /** Which connection the session's row names. */
  private row: FakeSocket | undefined;
  private readonly broken = new WeakSet<FakeSocket>();
  private readonly client: RelayClient;
  private state: number;
  /** Whether anything still goes wrong. */
  private isStormy = true;

  constructor(seed: number) {
    this.state = seed * 7_919;
    this.sockets.onNew = (socket) => this.handshake(socket);
    const options: RelayClientOptions = {
      url: "wss://relay.test/live",
      context: "chat",
      contextId: "7",
      onMessage: ({ body }) => {
        this.shown.push(body);
        if (!this.happens(0.2)) return;
        return new Promise((resolve) => this.clock.setTimeout(resolve, this.random() * 500));
      },
      onGap: () => void this.gaps++,
      onError: () => undefined,
      onStateChange: (state) => void (state === "superseded" && this.superseded++),
      maxConnectionMs: 60_000,
      maxBufferedMessages: 10,
      backoffCapMs: 5_000,
      WebSocket: this.sockets.WebSocket,
      clock: this.clock,
      random: () => this.random(),
    };
    this.client = new RelayClient(options);
  }

  async run(): Promise<void> {
    this.client.connect();
    for (let count = 1; count <= PUBLISHED; count++) {
      this.publish(`m${count}`);
      await this.clock.advance(this.happens(0.5) ? 0 : this.random() * 4_000);
      if (this.happens(0.03)) this.sockets.live.forEach((socket) => this.breakOff(socket));
      if (this.happens(0.01)) this.client.close();
      if (this.happens(0.02)) this.client.wake();
      this.client.connect();
    }
    this.isStormy = false;
    await this.clock.advance(400_000);
    this.client.close();
  }

  private publish(body: string): void {
    this.log.push(body);
    const { row } = this;
    const seq = this.log.length;
    // The relay read the row now; what it posts arrives later, perhaps twice, or in another order.
    if (row) for (let times = this.happens(0.1) ? 2 : 1; times > 0; times--) this.post(row, this.envelope(seq));
  }

  private handshake(socket: FakeSocket): void {
    socket.onSent = (action) => this.later(() => this.received(socket, action));
    this.later(() => {
      if (socket.state === "closed") return;
      const former = this.row;
      // A handshake may have had its effect and be refused all the same.
      if (!this.happens(0.1)) this.row = socket;
      if (this.row === socket && former) this.post(former, { type: "superseded" });
      this.later(() => (this.happens(0.2) || this.row !== socket ? socket.end() : socket.accept()));
    });
  }

  private received(socket: FakeSocket, action: Resume | Acknowledgement | Ping): void {
    if (this.broken.has(socket)) return;
    if (action.action === "ping") return this.post(socket, { type: "pong" });
    if (this.happens(0.1)) return this.happens(0.5) ? undefined : this.post(socket, unavailable);
    if (action.action === "ack") {
      if (action.cursor.seq > (this.acknowledged?.seq ?? 0)) this.acknowledged = action.cursor;
    } else if (this.row !== socket) {
      this.post(socket, { type: "superseded" });
    } else {
      this.resume(socket, action.cursor ?? this.acknowledged);
    }
  }

  private resume(socket: FakeSocket, cursor: Cursor | undefined): void {
    const newest = this.log.length;
    const first = (cursor?.seq ?? 0) + 1;
    const through = Math.min(newest, first + PAGE - 1);
    const epoch = newest > 0 ? { epoch: "e1" } : {};
    const page = Array.from({ length: Math.max(through - first + 1, 0) }, (_, index) => this.envelope(first + index));
    const half = this.happens(0.1) ? page.slice(0, page.length / 2) : page;
    const hello: Envelope = { type: "hello", ...epoch, oldest: 1, newest };
    this.post(socket, hello, { type: "resumed", recovered: true, first, through }, ...half);
  }

  private post(socket: FakeSocket, ...envelopes: object[]): void {
    this.later(() => {
      if (!this.broken.has(socket)) socket.receive(...envelopes);
    });
  }

  private breakOff(socket: FakeSocket): void {
    // Half-open: nothing gets through any more, and nothing says so.
    this.broken.add(socket);
    if (this.happens(0.7)) this.later(() => socket.end());
  }

  private envelope(seq: number): Envelope {
    return { type: "message", id: `id-${seq}`, epoch: "e1", seq, body: this.log[seq - 1] as string };
  }

  private later(then: () => void): void {
    this.clock.setTimeout(then, this.random() * 300);
  }

  private happens(probability: number): boolean {
    return this.isStormy && this.random() < probability;
  }

  /** Park and Miller's: the same for the same seed. */
  private random(): number {
    this.state = (this.state * 48_271) % 2_147_483_647;
    return this.state / 2_147_483_647;
  }
}

const unavailable: Envelope = { type: "error", code: "unavailable", message: "a fault" };
