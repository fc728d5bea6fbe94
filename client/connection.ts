import { type Ping, SUBPROTOCOLS } from "../protocol";
import { Timer } from "./clock";
import { Heartbeat } from "./heartbeat";
import { renewalDelayMs } from "./renewal";
import { isPromise, settle } from "./settle";
import type { Settings } from "./settings";
import { bearerSubprotocol, checkToken, type Token } from "./token";
import type { WebSocketLike } from "./webSocketLike";

export interface ConnectionEvents {
  opened(): void;
  received(text: string): void;
  /** It is old: another one should take its place. */
  renewalDue(): void;
  /** Once, and nothing after it. Not after `close()`. */
  ended(reason: string, closeCode?: number): void;
}

/**
 * One socket, from its token to its end. Written out instead of a reconnecting socket underneath: those that are kept have no
 * jitter, hide which connection a message came over, and cannot have two at once, which a replacement without a gap needs.
 */
export class Connection {
  private socket: WebSocketLike | undefined;
  private isOpen = false;
  private isEnded = false;
  /** How many were sent: as many pongs may come. */
  pings = 0;
  private readonly heartbeat: Heartbeat;
  /** Until it is open: for the handshake. From then on: for its replacement. */
  private readonly timer: Timer;

  constructor(
    private readonly settings: Settings,
    private readonly events: ConnectionEvents,
  ) {
    const { clock, heartbeatIntervalMs, heartbeatTimeoutMs } = settings;
    const ping = () => {
      this.pings++;
      this.send({ action: "ping" } satisfies Ping);
    };
    const dead = () => this.end(`no answer to a ping for ${heartbeatTimeoutMs} ms`);
    this.heartbeat = new Heartbeat(clock, heartbeatIntervalMs, heartbeatTimeoutMs, ping, dead);
    this.timer = new Timer(clock);
  }

  /** What the relay answered: one of `SUBPROTOCOLS`. */
  get subprotocol(): string | undefined {
    return this.socket?.protocol;
  }

  start(): void {
    const { token, connectTimeoutMs } = this.settings;
    this.timer.set(connectTimeoutMs, () => this.end(`not open after ${connectTimeoutMs} ms`));
    settle<Token | undefined>(
      () => {
        if (!token) return undefined;
        const given = token();
        return isPromise(given) ? given.then(checkToken) : checkToken(given);
      },
      (checked) => this.open(checked),
      (error) => {
        if (this.isEnded) return;
        this.settings.report(
          "token",
          `token: ${error instanceof Error ? error.message : "the provider failed"}`,
          error,
        );
        this.end("there is no token");
      },
    );
  }

  /** Whether it was open. Bytes that are under way when a connection breaks are lost all the same. */
  send(action: object): boolean {
    if (!this.isOpen) return false;
    try {
      this.socket?.send(JSON.stringify(action));
      return true;
    } catch {
      // It is closing: `onclose` follows.
      return false;
    }
  }

  /** Asks for a sign of life. */
  check(): void {
    if (this.isOpen) this.heartbeat.ask();
  }

  close(): void {
    if (this.isEnded) return;
    this.isOpen = false;
    this.isEnded = true;
    this.heartbeat.stop();
    this.timer.clear();
    const { socket } = this;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // The package ws throws an error that nobody listens to.
    socket.onerror = () => undefined;
    try {
      socket.close(1000);
    } catch {
      // It never opened.
    }
  }

  private open(token: Token | undefined): void {
    if (this.isEnded) return;
    const { WebSocket, url, report } = this.settings;
    const subprotocols: string[] = [SUBPROTOCOLS.v1, SUBPROTOCOLS.raw];
    if (token) subprotocols.push(bearerSubprotocol(token));
    let socket: WebSocketLike;
    try {
      socket = this.socket = new WebSocket(url, subprotocols);
    } catch (error) {
      report("socket", "WebSocket: it could not be constructed", error);
      return this.end("WebSocket could not be constructed");
    }
    socket.onopen = () => this.opened(token);
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.heartbeat.alive();
      if (typeof data === "string") this.events.received(data);
      else report("frame", "a binary frame came, which is not of the protocol");
    };
    socket.onclose = ({ code, reason }: { code?: number; reason?: string }) =>
      this.end(`closed with ${code}${reason ? ` ${reason}` : ""}`, code);
    // It says nothing that a script may know; `onclose` follows.
    socket.onerror = () => undefined;
  }

  private opened(token: Token | undefined): void {
    const { clock, maxConnectionMs, random, report } = this.settings;
    const { subprotocol } = this;
    if (subprotocol !== SUBPROTOCOLS.v1 && subprotocol !== SUBPROTOCOLS.raw) {
      report(
        "socket",
        `the answered subprotocol is ${JSON.stringify(subprotocol)}; offered were ${SUBPROTOCOLS.v1} and ${SUBPROTOCOLS.raw}`,
      );
      return this.end("another subprotocol was answered");
    }
    this.isOpen = true;
    this.heartbeat.alive();
    const expiresInMs = token?.expiresAtMs === undefined ? Infinity : token.expiresAtMs - clock.now();
    if (expiresInMs <= 0) report("token", "token: expiresAtMs has passed, as this device's clock goes; it is ignored");
    const delayMs = renewalDelayMs(maxConnectionMs, expiresInMs, random);
    this.timer.set(delayMs, () => this.events.renewalDue());
    this.events.opened();
  }

  private end(reason: string, closeCode?: number): void {
    if (this.isEnded) return;
    this.close();
    this.events.ended(reason, closeCode);
  }
}
