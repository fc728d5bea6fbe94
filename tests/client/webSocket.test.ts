import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { WebSocket, WebSocketServer } from "ws";
import { RelayClient, type RelayClientOptions, type RelayState } from "../../client";
import { SUBPROTOCOLS } from "../../protocol";
import { answer, bodies, EPOCH, message } from "./clientSetUp";
import { VirtualClock } from "../support/virtualClock";

// Over real sockets; time alone is virtual.
describe("the client over a WebSocket", () => {
  let relay: ScriptedRelay;
  let clients: RelayClient[];

  beforeEach(async () => {
    clients = [];
    relay = new ScriptedRelay();
    await once(relay.server, "listening");
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    await relay.stop();
  });

  const connect = (options: Partial<RelayClientOptions> = {}): Running => {
    const running = new Running(relay.url, options);
    clients.push(running.client);
    running.client.connect();
    return running;
  };

  it("resumes, receives messages, and acknowledges them before it closes", async () => {
    const running = connect({ token: () => "t" });
    const peer = await relay.next();
    expect(peer.offered).to.deep.equal([SUBPROTOCOLS.v1, SUBPROTOCOLS.raw, "websocket-relay.bearer.t"]);
    expect(peer.url).to.equal("/live?context=chat&contextId=7");
    expect(await peer.read()).to.deep.equal({ action: "resume" });
    peer.send(...answer({ first: 1, through: 2 }));
    peer.send(message(3));
    await running.received(3);
    expect(running.messages).to.deep.equal(bodies(1, 3));

    running.client.close();
    expect(await peer.read()).to.deep.equal({ action: "ack", cursor: { epoch: EPOCH, seq: 3 } });
    expect(await peer.closed).to.equal(1000);
  });

  it("recovers from a half-open connection with the messages that were sent over it", async () => {
    const running = connect({ heartbeatIntervalMs: 30_000 });
    const peer = await relay.next();
    await peer.read();
    peer.send(...answer({ first: 1, through: 1 }));
    await running.received(1);

    // Nothing comes out of the network any more, and nothing says so.
    peer.socket.pause();
    await running.clock.advance(30_000);
    expect(running.client.state).to.equal("connected");
    await running.clock.advance(10_000);
    expect(running.client.state).to.equal("waiting");

    await running.clock.advance(1_000);
    const next = await relay.next();
    expect(await next.read()).to.deep.equal({ action: "resume", cursor: { epoch: EPOCH, seq: 1 } });
    next.send(...answer({ first: 2, through: 4 }));
    await running.received(4);
    expect(running.messages).to.deep.equal(bodies(1, 4));
    peer.socket.resume();
  });

  it("answers a gateway's heartbeat, and stays connected", async () => {
    const running = connect({ heartbeatIntervalMs: 30_000 });
    const peer = await relay.next();
    await peer.read();
    peer.send(...answer({ first: 1, through: 0 }));
    await running.inState("connected");
    await running.clock.advance(30_000);
    expect(await peer.read()).to.deep.equal({ action: "ping" });
    peer.send({ type: "pong" }, message(1));
    await running.received(1);
    await running.clock.advance(29_999);
    expect(running.client.state).to.equal("connected");
  });

  it("is replaced without a gap", async () => {
    const running = connect({ maxConnectionMs: 60_000, heartbeatIntervalMs: 500_000 });
    const old = await relay.next();
    await old.read();
    old.send(...answer({ first: 1, through: 1 }));
    await running.received(1);
    await running.clock.advance(51_000);
    const fresh = await relay.next();
    old.send({ type: "superseded" });
    expect((await fresh.read()).action).to.equal("resume");
    fresh.send(...answer({ first: 2, through: 3 }));
    await running.received(3);
    expect(await old.closed).to.equal(1000);
    expect(running.states).to.deep.equal(["connecting", "connected"]);
  });

  it("receives messages unchanged in retry mode", async () => {
    relay.subprotocol = SUBPROTOCOLS.raw;
    const running = connect();
    const peer = await relay.next();
    await running.inState("connected");
    peer.socket.send("as it is");
    await running.received(1);
    expect(running.messages).to.deep.equal(["as it is"]);
  });

  for (const status of [401, 403, 409, 500]) {
    it(`tries again after a refusal with ${status}`, async () => {
      relay.refusal = status;
      const running = connect();
      await running.inState("waiting");
      relay.refusal = undefined;
      await running.clock.advance(1_000);
      expect(await (await relay.next()).read()).to.deep.equal({ action: "resume" });
    });
  }

  it("reconnects after a connection was cut", async () => {
    const running = connect();
    (await relay.next()).socket.terminate();
    await running.inState("waiting");
    await running.clock.advance(1_000);
    await relay.next();
  });

  it("may be closed at any time", async () => {
    const opening = connect();
    opening.client.close();
    const open = connect();
    const peer = await relay.next();
    open.client.close();
    await peer.closed;
    expect(open.client.state).to.equal("closed");
  });
});

/** A client over real sockets, with its recorded callbacks. */
class Running {
  readonly clock = new VirtualClock();
  readonly messages: string[] = [];
  readonly states: RelayState[] = [];
  readonly client: RelayClient;
  private waiting: (() => void)[] = [];

  constructor(url: string, options: Partial<RelayClientOptions>) {
    this.client = new RelayClient({
      url,
      context: "chat",
      contextId: "7",
      onMessage: ({ body }) => {
        this.messages.push(body);
        this.tell();
      },
      onStateChange: (state) => {
        this.states.push(state);
        this.tell();
      },
      WebSocket,
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
  }

  received(count: number): Promise<void> {
    return this.until(() => this.messages.length >= count);
  }

  inState(state: RelayState): Promise<void> {
    return this.until(() => this.client.state === state);
  }

  private async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private tell(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** The relay's end of a connection. */
class Peer {
  readonly closed: Promise<number>;
  private readonly frames: Record<string, unknown>[] = [];
  private readonly waiting: ((frame: Record<string, unknown>) => void)[] = [];

  constructor(
    readonly socket: WebSocket,
    readonly url: string,
    readonly offered: string[],
  ) {
    this.closed = once(socket, "close").then(([code]) => code as number);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Record<string, unknown>;
      const resolve = this.waiting.shift();
      if (resolve) resolve(frame);
      else this.frames.push(frame);
    });
  }

  async read(): Promise<Record<string, unknown>> {
    return this.frames.shift() ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  /** One frame. */
  send(...envelopes: object[]): void {
    this.socket.send(JSON.stringify(envelopes));
  }
}

/** A server under a test's control: it answers handshakes, and returns the connections in their order. */
class ScriptedRelay {
  subprotocol: string = SUBPROTOCOLS.v1;
  /** The status with which handshakes are refused. */
  refusal: number | undefined;
  readonly server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: () => this.subprotocol,
    verifyClient: (_, answerTo) => answerTo(this.refusal === undefined, this.refusal),
  });
  private readonly peers: Peer[] = [];
  private readonly waiting: ((peer: Peer) => void)[] = [];

  constructor() {
    this.server.on("connection", (socket, request) => {
      const offered = request.headers["sec-websocket-protocol"]?.split(",").map((value) => value.trim()) ?? [];
      const peer = new Peer(socket, request.url ?? "", offered);
      const resolve = this.waiting.shift();
      if (resolve) resolve(peer);
      else this.peers.push(peer);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/live`;
  }

  async next(): Promise<Peer> {
    return this.peers.shift() ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  async stop(): Promise<void> {
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
    await once(this.server, "close");
  }
}
