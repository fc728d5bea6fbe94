import { RelayClient } from "../../client";
import type { Handshake } from "../../handlers/connect/handshake";
import type { Action, GatewayError, Ping, Pong } from "../../protocol";
import { FakeSocket } from "../../tests/support/fakeSocket";
import { MemoryHistory } from "../../tests/support/memoryHistory";
import { Simulation } from "../../tests/support/property/simulation";
import { rounded } from "../median";
import { FleetFunctions } from "./functions";
import type { FleetGateway } from "./gateway";
import { ASSUMED_MS } from "./limits";

/** Whole clients of the fleet: the client library, `connect` and `resume`, behind the gateway that all clients share. */
export class WholeClients {
  /** When each client was connected again: its resume was answered. */
  readonly backMs: number[] = [];
  private readonly simulation: Simulation;
  private readonly history = new MemoryHistory();
  private readonly functions: FleetFunctions;
  private readonly clients: RelayClient[];
  private readonly sockets = new Map<string, FakeSocket>();
  private connections = 0;
  private failure: unknown;
  /** When all connections are lost. Before that, every handshake is accepted. */
  private lostAtMs = Infinity;
  private tickMs = 0;

  private constructor(
    count: number,
    private readonly gateway: FleetGateway,
    seed: number,
  ) {
    const simulation = (this.simulation = new Simulation(seed));
    this.functions = new FleetFunctions(simulation, this.history, async (connectionId, body) => {
      await simulation.pause(ASSUMED_MS.post);
      const socket = this.sockets.get(connectionId);
      if (!this.isLetThrough()) return { result: "throttled" };
      if (socket?.state !== "open") return { result: "gone" };
      socket.receiveData(body);
      return { result: "delivered" };
    });
    this.clients = Array.from({ length: count }, (_, user) => this.client(user));
  }

  /** Clients that have connected, and have resumed. */
  static async connected(count: number, gateway: FleetGateway, seed: number): Promise<WholeClients> {
    const whole = new WholeClients(count, gateway, seed);
    for (const client of whole.clients) client.connect();
    await whole.simulation.clock.advance(10_000);
    whole.throwFailure();
    return whole;
  }

  get back(): number {
    return this.backMs.length;
  }

  /** All of them lose their connections at once. */
  lose(): void {
    this.lostAtMs = this.simulation.now;
    this.connections = 0;
    this.backMs.length = 0;
    this.functions.table.calls.length = this.history.calls.length = 0;
    for (const socket of [...this.sockets.values()]) socket.end();
    this.sockets.clear();
  }

  /** Does what is due until so long after the loss. */
  async advance(sinceLossMs: number): Promise<void> {
    const { clock } = this.simulation;
    const untilMs = this.lostAtMs + sinceLossMs;
    if ((clock.nextMs ?? Infinity) > untilMs) return;
    this.tickMs = sinceLossMs;
    await clock.advance(untilMs - clock.now());
    this.throwFailure();
  }

  callsPerConnection(): Record<string, number> {
    const counts: Record<string, number> = {};
    const names = [...this.functions.table.calls, ...this.history.calls];
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return Object.fromEntries(
      Object.entries(counts).map(([name, calls]) => [name, rounded(calls / this.connections, 2)]),
    );
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  private client(user: number): RelayClient {
    const begin = (socket: FakeSocket) => this.begin(socket);
    return new RelayClient({
      url: `wss://relay.test/live?user=${user}`,
      context: "chat",
      contextId: "7",
      clock: this.simulation.clock,
      random: this.simulation.random,
      WebSocket: class extends FakeSocket {
        constructor(url: string, subprotocols: string[]) {
          super(url, subprotocols);
          begin(this);
        }
      },
      onMessage: () => undefined,
      onError: (error) => {
        // Refused handshakes are expected.
        if (error.code !== "refused" && error.code !== "unavailable") this.failure ??= error;
      },
      onStateChange: (state) => {
        if (state === "connected") this.backMs.push(this.simulation.now - this.lostAtMs);
      },
    });
  }

  private begin(socket: FakeSocket): void {
    const connectionId = `c${user(socket)}-${this.connections++}`;
    socket.onSent = (action) => this.start(() => this.frame(connectionId, socket, action));
    this.start(async () => {
      const { simulation } = this;
      await simulation.pause(ASSUMED_MS.network);
      const isAccepted = !this.hasLost || this.gateway.handshake(this.tickMs) !== undefined;
      if (!isAccepted) {
        this.connections--;
        return socket.end();
      }
      const answer = await this.functions.connect(handshakeOf(connectionId, socket, Math.floor(simulation.now)));
      if (answer.statusCode !== 200) throw new Error(`connect answers ${answer.statusCode}: ${answer.body}`);
      this.sockets.set(connectionId, socket);
      socket.accept(answer.headers?.["Sec-WebSocket-Protocol"]);
    });
  }

  private async frame(connectionId: string, socket: FakeSocket, action: Action | Ping): Promise<void> {
    await this.simulation.pause(ASSUMED_MS.network);
    if (!this.isLetThrough()) {
      socket.receive({ message: "Too Many Requests", connectionId, requestId: "r1" } satisfies GatewayError);
    } else if (action.action === "ping") {
      socket.receive({ type: "pong" } satisfies Pong);
    } else if (action.action === "resume") {
      await this.functions.resume(connectionId, JSON.stringify(action));
    }
  }

  private get hasLost(): boolean {
    return this.simulation.now >= this.lostAtMs;
  }

  private isLetThrough(): boolean {
    return !this.hasLost || this.gateway.request(this.tickMs);
  }

  private start(task: () => Promise<void>): void {
    task().catch((error: unknown) => (this.failure ??= error));
  }

  private throwFailure(): void {
    if (this.failure) throw this.failure;
  }
}

function user({ url }: FakeSocket): string {
  return new URL(url).searchParams.get("user") ?? "";
}

function handshakeOf(connectionId: string, { url, subprotocols }: FakeSocket, connectedAt: number): Handshake {
  return {
    headers: { Host: "api.test", "Sec-WebSocket-Protocol": subprotocols.join(", ") },
    queryStringParameters: Object.fromEntries(new URL(url).searchParams),
    requestContext: { connectionId, connectedAt, requestId: "r1" },
  };
}
