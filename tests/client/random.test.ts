import { expect } from "chai";
import { RelayClient, type RelayClientOptions } from "../../client";
import type { Acknowledgement, Cursor, Envelope, Hello, Ping, Resume } from "../../protocol";
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
      expect(world.problems).to.deep.equal([]);
      expect(world.handled).to.equal(PUBLISHED);
      expect(world.acknowledged).to.deep.equal({ epoch: "e1", seq: PUBLISHED });
      expect([world.gaps, world.superseded]).to.deep.equal([0, 0]);
    });
  }
});

class World {
  readonly problems: string[] = [];
  /** The last number that a page has handled. */
  handled = 0;
  acknowledged: Cursor | undefined;
  gaps = 0;
  superseded = 0;
  private readonly clock = new VirtualClock();
  private readonly sockets = new FakeSockets();
  private readonly log: string[] = [];
  /** Which connection the session's row names. */
  private row: FakeSocket | undefined;
  private readonly broken = new WeakSet<FakeSocket>();
  private client: RelayClient;
  private state: number;
  /** Counts the pages: one that has ended runs no more. */
  private page = 0;
  private readonly announced: Partial<Hello>;
  /** Whether anything still goes wrong. */
  private isStormy = true;

  constructor(seed: number) {
    this.state = seed * 7_919;
    this.announced = seed % 2 === 0 ? {} : { ackSeconds: 1 };
    this.sockets.onNew = (socket) => this.handshake(socket);
    this.client = this.open();
  }

  /** A page without a cursor: it begins after what is acknowledged. */
  private open(): RelayClient {
    const page = ++this.page;
    let last: number | undefined;
    const options: RelayClientOptions = {
      url: "wss://relay.test/live",
      context: "chat",
      contextId: "7",
      onMessage: async ({ seq = 0, body }) => {
        const isNext = last === undefined ? seq <= this.handled + 1 : seq === last + 1;
        if (!isNext || body !== `m${seq}`) this.problems.push(`${body} after ${last}, of ${this.handled} handled`);
        last = seq;
        if (this.happens(0.2))
          await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.random() * 500));
        // The page ends before it is handled.
        if (page !== this.page) return new Promise<void>(() => undefined);
        this.handled = Math.max(this.handled, seq);
      },
      onGap: () => void this.gaps++,
      onError: () => undefined,
      onStateChange: (state) => void (state === "superseded" && this.superseded++),
      maxConnectionMs: 60_000,
      maxBufferedMessages: 10,
      backoffCapMs: 5_000,
      WebSocket: this.sockets.WebSocket,
      clock: {
        now: () => this.clock.now(),
        setTimeout: (callback, delayMs) => this.clock.setTimeout(() => page === this.page && callback(), delayMs),
        clearTimeout: (handle) => this.clock.clearTimeout(handle),
      },
      random: () => this.random(),
    };
    return new RelayClient(options);
  }

  async run(): Promise<void> {
    this.client.connect();
    for (let count = 1; count <= PUBLISHED; count++) {
      this.publish(`m${count}`);
      await this.clock.advance(this.happens(0.5) ? 0 : this.random() * 4_000);
      if (this.happens(0.03)) this.sockets.live.forEach((socket) => this.breakOff(socket));
      if (this.happens(0.01)) this.client.close();
      if (this.happens(0.02)) this.client.wake();
      if (this.happens(0.02)) this.client.acknowledge();
      if (this.happens(0.01)) this.reload();
      this.client.connect();
    }
    this.isStormy = false;
    await this.clock.advance(400_000);
    this.client.close();
    await this.clock.advance(1_000);
  }

  /** The page ends without a word, in the middle of whatever it does. */
  private reload(): void {
    this.client = this.open();
    for (const socket of this.sockets.live) {
      socket.onmessage = socket.onclose = socket.onerror = null;
      this.breakOff(socket);
    }
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
    // A resume's cursor acknowledges, too.
    const { cursor } = action;
    if (cursor && cursor.seq > this.handled)
      this.problems.push(`${cursor.seq} acknowledged of ${this.handled} handled`);
    if (cursor && cursor.seq > (this.acknowledged?.seq ?? 0)) this.acknowledged = cursor;
    if (action.action === "ack") return;
    if (this.row !== socket) {
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
    const hello: Envelope = { type: "hello", ...epoch, oldest: 1, newest, ...this.announced };
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
