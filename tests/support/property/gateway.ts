import type { WebSocketConstructor } from "../../../client";
import type { ConnectionsClient, PostOutcome } from "../../../handlers/connections/connectionsClient";
import type { Handshake } from "../../../handlers/connect/handshake";
import { numbersOf } from "../../../handlers/history/mergeChunks";
import { type Connections, MAX_LIVE_CONNECTIONS } from "../../../handlers/sessions/sessionRow";
import {
  type Action,
  type Envelope,
  MAX_PAYLOAD_BYTES,
  type MessageEnvelope,
  type Ping,
  type Pong,
  type Resumed,
  SUBPROTOCOLS,
} from "../../../protocol";
import { FakeSocket } from "../fakeSocket";
import type { FaultKind, Faults } from "./faults";
import type { Invocation } from "./invocation";
import type { Simulation } from "./simulation";

/** The functions that the gateway invokes. They return undefined or false if the function has crashed. */
export interface Functions {
  connect(handshake: Handshake): Promise<{ statusCode: number; headers?: Record<string, string> } | undefined>;
  disconnect(connectionId: string): Promise<void>;
  frame(connectionId: string, action: Action): Promise<boolean>;
  /** Called for each post to a raw connection. */
  postedRaw(connection: Connection, body: string, result: string, invocation: Invocation): void;
  /** Called before a raw connection is closed: nothing is posted to it. */
  closingRaw(connection: Connection, invocation: Invocation): void;
  violated(what: string): void;
}

export interface Connection {
  readonly id: string;
  readonly user: string;
  readonly socket: FakeSocket;
  /** Whether the client gets messages as they were published. */
  readonly isRaw: boolean;
  state: "pending" | "open" | "over";
  /** When the handshake arrived, and when it was answered with 200. */
  connectedAtMs: number;
  openedAtMs: number;
  endedAtMs: number;
  /** Whether bytes pass. If they do not, neither side gets an error. */
  passes: boolean;
  /** When the last frame arrives, in each direction: frames do not overtake each other. */
  downAtMs: number;
  upAtMs: number;
  /** Until when POST and GET wrongly answer that it is gone, and until when its buffer is full. */
  looksGoneUntilMs: number;
  fullUntilMs: number;
  /** Whether the relay may no longer send to it although it is alive: a newer one was opened, or it looked gone. */
  mayBeMute: boolean;
}

/** Connections that have ended may still have their places, and handshakes that are under way already. */
const CROWD_TOLERANCE = 5;

/** The gateway refuses a handshake that its function has not answered by then. */
const MAX_HANDSHAKE_MS = 29_000;

/**
 * Behaves as API Gateway does: a connection is open once `$connect` has returned 200, a half-open one accepts posts, and
 * `$disconnect` is best effort.
 */
export class Gateway {
  readonly connections = new Map<string, Connection>();
  /** Users whose network is down: none of their new connections opens. */
  readonly offline = new Set<string>();
  /** The number of resumes over each connection. */
  readonly resumes = new Map<string, number>();
  private count = 0;

  constructor(
    private readonly simulation: Simulation,
    private readonly faults: Faults,
    private readonly functions: Functions,
    private readonly maxConnectionMs: number,
    private readonly connectionsOfSession: Connections,
  ) {}

  /** The WebSocket class of a user's client, which adds each socket to `sockets`. */
  webSocketOf(user: string, sockets: FakeSocket[]): WebSocketConstructor {
    const register = (socket: FakeSocket) => {
      sockets.push(socket);
      this.handshake(user, socket);
    };
    return class extends FakeSocket {
      constructor(url: string, subprotocols: string[]) {
        super(url, subprotocols);
        register(this);
      }
    };
  }

  /** The connections that are open to the gateway. */
  openOf(user: string): Connection[] {
    return [...this.connections.values()].filter((each) => each.user === user && each.state === "open");
  }

  /** Whether frames of the client arrive, or its handshake is under way. */
  passes(socket: FakeSocket): boolean {
    const connection = [...this.connections.values()].find((each) => each.socket === socket);
    return connection?.passes ?? false;
  }

  /** Breaks a connection. If the client is not told, its heartbeat has to detect it. */
  cut(connection: Connection, kind: FaultKind): void {
    const { simulation } = this;
    if (connection.state !== "open" || !connection.passes) return;
    this.faults.count(kind);
    connection.passes = false;
    const halfOpen = kind === "connection is half-open";
    simulation.after(halfOpen ? simulation.between(1_000, 600_000) : simulation.latency(), () => this.end(connection));
    if (kind === "connection breaks") simulation.after(simulation.latency(), () => connection.socket.end());
  }

  /** Ends the client's side without a close frame. */
  vanish(socket: FakeSocket): void {
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    socket.onClosed = () => undefined;
    socket.close();
    const connection = [...this.connections.values()].find((each) => each.socket === socket);
    if (!connection) return;
    connection.passes = false;
    const isSeen = this.simulation.chance(0.5);
    this.simulation.after(this.simulation.between(10, isSeen ? 1_000 : 600_000), () => this.end(connection));
  }

  /** The `@connections` commands, as calls of an invocation. */
  client(invocation: Invocation): ConnectionsClient {
    const { faults } = this;
    return {
      post: async (connectionId, body) => {
        try {
          await invocation.reach();
        } catch {
          return { result: "network-error" };
        }
        const connection = this.connections.get(connectionId);
        const outcome = this.post(connection, body);
        if (connection?.isRaw) this.functions.postedRaw(connection, body, outcome.result, invocation);
        return outcome;
      },
      isGone: async (connectionId) => {
        await invocation.reach();
        if (faults.happens("GET or DELETE fails")) throw invocation.failure();
        const connection = this.connections.get(connectionId);
        return connection?.state !== "open" || connection.looksGoneUntilMs > this.simulation.now;
      },
      close: async (connectionId) => {
        await invocation.reach();
        const failure = faults.happens("GET or DELETE fails") ? invocation.failure() : undefined;
        if (failure && this.simulation.chance(0.5)) throw failure;
        const connection = this.connections.get(connectionId);
        if (connection?.isRaw) this.functions.closingRaw(connection, invocation);
        if (connection?.state !== "open") return "gone";
        this.end(connection);
        if (failure) throw failure;
        return "closed";
      },
    };
  }

  private post(connection: Connection | undefined, body: string): PostOutcome {
    const { faults, simulation } = this;
    if (faults.happens("POST is lost")) return { result: "network-error" };
    if (faults.happens("POST answers 429")) return { result: "throttled" };
    if (faults.happens("POST answers 500")) return { result: "gateway-error" };
    if (connection?.state !== "open") return { result: "gone" };
    if (faults.happens("client's buffer is full for a while")) {
      connection.fullUntilMs = simulation.now + simulation.between(1_000, 60_000);
    }
    if (connection.fullUntilMs > simulation.now) return { result: "throttled" };
    if (faults.happens("POST and GET answer 410 for a live connection")) {
      connection.looksGoneUntilMs = simulation.now + simulation.between(100, 10_000);
      connection.mayBeMute = true;
    }
    if (connection.looksGoneUntilMs > simulation.now) return { result: "gone" };
    if (faults.happens("POST answers 410 for a live connection")) return { result: "gone" };
    if (!connection.isRaw) this.judge(body);
    if (Buffer.byteLength(body) > MAX_PAYLOAD_BYTES) return { result: "payload-too-large" };
    if (!connection.passes) faults.count("message is posted into a half-open connection");
    this.down(connection, () => connection.socket.receiveData(body));
    if (faults.happens("POST answers 500 after it arrived")) return { result: "gateway-error" };
    if (faults.happens("POST arrives, and its answer is lost")) return { result: "timeout" };
    return { result: "delivered" };
  }

  /** Checks that the messages that follow the answer to a resume are those that it announces, without a hole. */
  private judge(body: string): void {
    if (!body.includes('"resumed"')) return;
    const envelopes = [JSON.parse(body) as Envelope | Envelope[]].flat();
    const at = envelopes.findIndex(({ type }) => type === "resumed");
    const { first, through } = envelopes[at] as Resumed;
    const seqs = envelopes.slice(at + 1).flatMap((envelope) => numbersOf(envelope as MessageEnvelope));
    if (seqs.some((seq, index) => seq !== first + index || seq > through) || (seqs.length === 0 && first <= through)) {
      this.functions.violated(`a resume from ${first} to ${through} is answered with ${seqs.join()}`);
    }
  }

  private handshake(user: string, socket: FakeSocket): void {
    const { simulation, faults } = this;
    const id = `c${this.count++}`;
    const connection: Connection = {
      id,
      user,
      socket,
      isRaw: !socket.subprotocols.includes(SUBPROTOCOLS.v1),
      state: "pending",
      connectedAtMs: simulation.now,
      openedAtMs: Infinity,
      endedAtMs: Infinity,
      passes: true,
      downAtMs: 0,
      upAtMs: 0,
      looksGoneUntilMs: 0,
      fullUntilMs: 0,
      mayBeMute: false,
    };
    socket.onSent = (action) => this.up(connection, action);
    socket.onClosed = () => this.closedByClient(connection);
    if (this.offline.has(user)) {
      // Half of them are told that there is no network.
      if (simulation.chance(0.5)) simulation.after(simulation.latency(), () => socket.end());
      return;
    }
    const others = this.openOf(user);
    // With ten others, the oldest loses its place; which ones count as open is the relay's to know.
    const isCrowded = others.length >= MAX_LIVE_CONNECTIONS - CROWD_TOLERANCE;
    for (const each of others) each.mayBeMute ||= this.connectionsOfSession === "newest" || isCrowded;
    this.connections.set(id, connection);
    simulation.start(async () => {
      await simulation.pause(simulation.latency());
      const connectedAt = Math.floor(simulation.now);
      connection.connectedAtMs = connectedAt;
      if (faults.happens("handshake takes long")) await simulation.pause(simulation.between(1_000, 28_000));
      const answer = await this.functions.connect(handshakeOf(connection, connectedAt));
      await simulation.pause(simulation.latency());
      if (answer?.statusCode !== 200 || simulation.now - connectedAt > MAX_HANDSHAKE_MS) {
        connection.state = "over";
        return this.down(connection, () => socket.end());
      }
      connection.state = "open";
      connection.openedAtMs = simulation.now;
      simulation.after(this.maxConnectionMs, () => this.end(connection));
      if (socket.state === "closed") return this.closedByClient(connection);
      if (faults.happens("handshake is answered, and the answer is lost")) connection.passes = false;
      this.down(connection, () => socket.accept(answer.headers?.["Sec-WebSocket-Protocol"]));
    });
  }

  private up(connection: Connection, action: Action | Ping): void {
    const { simulation, resumes } = this;
    const { id } = connection;
    if (action.action === "resume") resumes.set(id, (resumes.get(id) ?? 0) + 1);
    connection.upAtMs = Math.max(connection.upAtMs, simulation.now + simulation.latency());
    simulation.after(connection.upAtMs - simulation.now, () => {
      if (connection.state !== "open" || !connection.passes) {
        if (action.action !== "ping") this.faults.count("frame is lost with its connection");
      } else if (action.action === "ping") {
        this.send(connection, { type: "pong" } satisfies Pong);
      } else {
        simulation.start(async () => {
          if (await this.functions.frame(connection.id, action)) return;
          this.send(connection, { message: "Internal server error", connectionId: connection.id, requestId: "r" });
        });
      }
    });
  }

  private send(connection: Connection, value: object): void {
    this.down(connection, () => connection.socket.receive(value));
  }

  private down(connection: Connection, arrive: () => void): void {
    const { simulation } = this;
    connection.downAtMs = Math.max(connection.downAtMs, simulation.now + simulation.latency());
    simulation.after(connection.downAtMs - simulation.now, () => {
      if (connection.passes) arrive();
    });
  }

  private closedByClient(connection: Connection): void {
    if (!connection.passes) return;
    this.simulation.after(this.simulation.latency(), () => this.end(connection));
  }

  /** Ends the connection on the gateway's side, whatever has become of the client's. */
  private end(connection: Connection): void {
    const { simulation, faults } = this;
    if (connection.state !== "open") return;
    connection.state = "over";
    connection.endedAtMs = simulation.now;
    this.down(connection, () => connection.socket.end(1001));
    if (faults.happens("disconnect is lost")) return;
    for (let i = 0; i < (faults.happens("disconnect comes twice") ? 2 : 1); i++) {
      const isLate = faults.happens("disconnect is late");
      const delayMs = isLate ? simulation.between(1_000, 120_000) : simulation.latency();
      simulation.after(delayMs, () => simulation.start(() => this.functions.disconnect(connection.id)));
    }
  }
}

function handshakeOf({ id, socket: { url, subprotocols } }: Connection, connectedAt: number): Handshake {
  const offered = subprotocols.length > 0 && { "Sec-WebSocket-Protocol": subprotocols.join(", ") };
  return {
    headers: { Host: "api.test", ...offered },
    queryStringParameters: Object.fromEntries(new URL(url).searchParams),
    requestContext: { connectionId: id, connectedAt, requestId: "r1" },
  };
}
