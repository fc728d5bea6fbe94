import { expect } from "chai";
import { type CursorStore, RelayClient, type StoredCursor } from "../../client";
import type { Acknowledgement, MessageEnvelope, Ping, Resume } from "../../protocol";
import { type FakeSocket, FakeSockets } from "../support/fakeSocket";
import { mulberry32 } from "../support/mulberry32";
import { VirtualClock } from "../support/virtualClock";

const IDS = ["x", "y"];
const PAGE = 6;

// Streams whose chunks are stored in any order, among other messages, by a relay that merges chunks on reading.
describe("the client's streams, under random faults", () => {
  it("are whole in each page that sees their end, and messages are passed once over all pages, in 1,000 runs", async () => {
    for (let seed = 1; seed <= 1_000; seed++) {
      const world = new World(seed);
      await world.run();
      expect(world.problems, `seed ${seed}`).to.deep.equal([]);
    }
  }).timeout(60_000);
});

class World {
  readonly problems: string[] = [];
  private readonly random: () => number;
  private readonly clock = new VirtualClock();
  private readonly sockets = new FakeSockets();
  private readonly log: MessageEnvelope[] = [];
  private readonly passed: string[] = [];
  private readonly texts: Record<string, string> = {};
  private texted = new Map<string, string>();
  private readonly closed = new Set<string>();
  private stored: StoredCursor | undefined;
  private page = 0;
  private isStormy = true;

  constructor(seed: number) {
    this.random = mulberry32(seed);
    this.sockets.onNew = (socket) => {
      socket.onSent = (action) => this.later(() => this.received(socket, action));
      this.later(() => socket.accept());
    };
  }

  async run(): Promise<void> {
    const bodies = [...IDS.flatMap((id) => this.stream(id)), "m1", "m2", "m3", "m4"];
    // Nearly sorted: a chunk may be stored before an earlier one.
    const order = bodies.map((body, index) => ({ body, at: (index % 8) + 4 * this.random() }));
    let client = this.open();
    for (const { body } of order.sort((a, b) => a.at - b.at)) {
      this.publish(body);
      await this.clock.advance(this.random() * 100);
      if (this.happens(0.15)) this.sockets.live.forEach((socket) => socket.end());
      if (this.happens(0.1)) {
        client.close();
        if (this.happens(0.5)) client.connect();
        else client = this.open();
      }
      client.connect();
    }
    this.isStormy = false;
    // The last messages may be lost: the next resume brings them.
    await this.clock.advance(200);
    this.sockets.live.forEach((socket) => socket.end());
    await this.clock.advance(5_000);
    client.close();
    if (this.closed.size < IDS.length) this.problems.push(`only ${[...this.closed].join(", ")} ended`);
    if (this.passed.sort().join() !== "m1,m2,m3,m4") this.problems.push(`passed: ${this.passed.join()}`);
    if (this.stored?.seq !== this.log.length) this.problems.push(`stored ${JSON.stringify(this.stored)}`);
  }

  private stream(id: string): string[] {
    const chunks: string[] = [];
    let text = "";
    for (let count = 2 + Math.floor(this.random() * 6); count > 0; count--) {
      const added = id.repeat(1 + Math.floor(this.random() * 3));
      const end = count === 1 ? { end: "closed" } : {};
      chunks.push(JSON.stringify({ type: "websocket-relay.stream", id, offset: text.length, text: added, ...end }));
      text += added;
    }
    this.texts[id] = text;
    return chunks;
  }

  private open(): RelayClient {
    const page = ++this.page;
    this.texted = new Map();
    const cursorStore: CursorStore = { get: () => this.stored, set: (cursor) => void (this.stored = cursor) };
    const client = new RelayClient({
      url: "wss://relay.test/live",
      context: "chat",
      contextId: "7",
      cursorStore,
      onMessage: ({ body }) => void this.passed.push(body),
      onStream: ({ id, offset, text, status }) => {
        const before = this.texted.get(id) ?? "";
        if (offset !== before.length) this.problems.push(`page ${page}: ${id} ${offset} after ${before.length}`);
        if (this.closed.has(id)) this.problems.push(`page ${page}: ${id} again`);
        this.texted.set(id, before + text);
        if (status === "open") return;
        this.closed.add(id);
        if (status !== "closed" || before + text !== this.texts[id]) {
          this.problems.push(`page ${page}: ${id} is ${before + text} (${status})`);
        }
      },
      onError: () => undefined,
      onGap: () => void this.problems.push("a gap"),
      backoffBaseMs: 50,
      backoffCapMs: 100,
      gapWaitMs: 20,
      resumeTimeoutMs: 300,
      WebSocket: this.sockets.WebSocket,
      clock: this.clock,
      random: this.random,
    });
    client.connect();
    return client;
  }

  private publish(body: string): void {
    const seq = this.log.push({ type: "message", id: "i", epoch: "e1", seq: this.log.length + 1, body });
    for (const socket of this.sockets.live) {
      if (!this.happens(0.1)) this.later(() => socket.receive(this.log[seq - 1] as object));
    }
  }

  private received(socket: FakeSocket, action: Resume | Acknowledgement | Ping): void {
    if (action.action === "ping") return socket.receive({ type: "pong" });
    if (action.action === "ack") return;
    const newest = this.log.length;
    const { cursor, after = 0 } = action;
    const first = Math.max(cursor?.seq ?? 0, after) + 1;
    const through = Math.min(newest, first + PAGE - 1);
    const hello = { type: "hello", ...(newest > 0 && { epoch: "e1" }), oldest: 1, newest };
    const page = merged(this.log.slice(first - 1, through));
    this.later(() => socket.receive(hello, { type: "resumed", recovered: true, first, through }, ...page));
  }

  private later(then: () => void): void {
    this.clock.setTimeout(then, this.random() * 100);
  }

  private happens(probability: number): boolean {
    return this.isStormy && this.random() < probability;
  }
}

/** Adjacent chunks of one stream, in the order of their offsets, as one envelope. */
function merged(page: readonly MessageEnvelope[]): MessageEnvelope[] {
  const envelopes: MessageEnvelope[] = [];
  for (const message of page) {
    const last = envelopes.at(-1);
    const [one, other] = [last?.body ?? "", message.body ?? ""].map((body) =>
      body.startsWith("{") ? (JSON.parse(body) as { id: string; offset: number; text: string }) : undefined,
    );
    if (last && one && other?.id === one.id && other.offset === one.offset + one.text.length) {
      const body = JSON.stringify({ ...one, ...other, offset: one.offset, text: one.text + other.text });
      envelopes[envelopes.length - 1] = { ...message, first: last.first ?? last.seq, body };
    } else envelopes.push(message);
  }
  return envelopes;
}
