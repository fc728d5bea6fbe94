import { BEARER_SUBPROTOCOL_PREFIX, type Ping, type Pong, SUBPROTOCOLS } from "../../protocol";
import * as control from "./controlServer";
import { observedSocket } from "./observedSocket";
import type { Addressee } from "./session";

export type RawState = "closed" | "connecting" | "connected" | "waiting";

export interface RawListener {
  onState(state: RawState, reason?: string): void;
  /** Undefined where there is no connection that could be cut. */
  onConnection(id: string | undefined): void;
  onMessage(body: string): void;
}

const ping: Ping = { action: "ping" };
const pong: Pong = { type: "pong" };
const pauseMs = { first: 500, longest: 5_000 };

/** What an application without the client library has: a WebSocket that pings and reconnects, and messages as published. */
export class RawClient {
  /** The connection that the gateway knows. */
  connectionId?: string;
  private socket?: WebSocket;
  private timer?: number;
  private failures = 0;
  private isWanted = false;

  constructor(
    private readonly relay: control.Relay,
    private readonly addressee: Addressee,
    private readonly heartbeatMs: number,
    private readonly listener: RawListener,
  ) {}

  connect(): void {
    this.isWanted = true;
    this.open().catch((error: Error) => this.lose(error.message));
  }

  close(): void {
    this.isWanted = false;
    this.leave();
    this.listener.onState("closed");
  }

  private async open(): Promise<void> {
    this.listener.onState("connecting");
    const { user, context, contextId } = this.addressee;
    const token = await control.token(user);
    if (!this.isWanted) return;
    const url = new URL(this.relay.websocketUrl);
    url.search = new URLSearchParams({ context, contextId }).toString();
    let tag = "";
    const Socket = observedSocket({
      onMade: (made) => (tag = made),
      onFrame: (data) => this.take(socket, String(data)),
    });
    const socket = new Socket(url, [SUBPROTOCOLS.raw, BEARER_SUBPROTOCOL_PREFIX + token]);
    this.socket = socket;
    socket.addEventListener("open", () => void this.begin(socket, tag));
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.socket) this.lose(`the connection was closed (${code})`);
    });
  }

  private async begin(socket: WebSocket, tag: string): Promise<void> {
    this.failures = 0;
    this.listener.onState("connected");
    this.pingLater(socket);
    const id = await control.connectionOf(tag).catch(() => undefined);
    if (socket !== this.socket) return;
    this.connectionId = id;
    this.listener.onConnection(id);
  }

  private take(socket: WebSocket, data: string): void {
    if (socket !== this.socket) return;
    this.pingLater(socket);
    if (data !== JSON.stringify(pong)) this.listener.onMessage(data);
  }

  /** Any frame shows that the connection is alive. */
  private pingLater(socket: WebSocket): void {
    this.after(this.heartbeatMs, () => {
      // One that is closing says so by its close event.
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(JSON.stringify(ping));
      this.after(this.heartbeatMs, () => this.lose(`no answer to a ping for ${this.heartbeatMs} ms`));
    });
  }

  private lose(reason: string): void {
    this.leave();
    if (!this.isWanted) return;
    this.listener.onState("waiting", reason);
    const longest = Math.min(pauseMs.first * 2 ** this.failures, pauseMs.longest);
    this.failures += 1;
    this.after(Math.random() * longest, () => this.connect());
  }

  private leave(): void {
    window.clearTimeout(this.timer);
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
    this.connectionId = undefined;
    this.listener.onConnection(undefined);
  }

  private after(delayMs: number, act: () => void): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(act, delayMs);
  }
}
