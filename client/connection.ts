import { type Ping, SUBPROTOCOLS } from "../protocol";
import { Timer } from "./clock";
import { handshakeStatus } from "./handshakeStatus";
import { Heartbeat } from "./heartbeat";
import { renewalDelayMs } from "./renewal";
import type { RelayClientErrorCode } from "./relayClientError";
import { isPromise, settle } from "./settle";
import type { Settings } from "./settings";
import type { StateDetail } from "./state";
import { bearerSubprotocol, checkToken, type Token } from "./token";
import type { WebSocketLike } from "./webSocketLike";

// RFC 6455, 7.1.5: the connection ended without a close frame, or never opened.
export const ABNORMAL_CLOSURE = 1006;

export type EndDetail = Pick<StateDetail, "reason" | "closeCode" | "statusCode">;

export interface ConnectionEvents {
  opened(): void;
  received(text: string): void;
  /** The connection is close to its maximum age and should be replaced. */
  renewalDue: () => void;
  /** Called once, as the last event. Not called after `close()`. */
  ended(detail: EndDetail): void;
}

/**
 * One socket, from its token to its end. It is not built on a library for reconnecting sockets: the maintained ones have no
 * jitter, do not tell which connection a message came over, and cannot hold two connections at once, which a replacement
 * without a gap needs.
 */
export class Connection {
  private socket: WebSocketLike | undefined;
  private isOpen = false;
  isEnded = false;
  readonly heartbeat: Heartbeat;
  /** Before the connection is open: limits the handshake. After that: starts its replacement. */
  private readonly timer: Timer;

  constructor(
    private readonly settings: Settings,
    private readonly events: ConnectionEvents,
  ) {
    const ping = () => this.send({ action: "ping" } satisfies Ping);
    const dead = () => this.end({ reason: `no answer to a ping for ${settings.heartbeatTimeoutMs} ms` });
    this.heartbeat = new Heartbeat(settings, ping, dead);
    this.timer = new Timer(settings.clock);
  }

  /** The subprotocol that the relay selected: one of `SUBPROTOCOLS`. */
  get subprotocol(): string | undefined {
    return this.socket?.protocol;
  }

  start(): void {
    const { token, connectTimeoutMs } = this.settings;
    this.timer.set(connectTimeoutMs, () => this.end({ reason: `not open after ${connectTimeoutMs} ms` }));
    settle<Token | undefined>(
      () => {
        if (!token) return undefined;
        const given = token();
        return isPromise(given) ? given.then(checkToken) : checkToken(given);
      },
      (checked) => this.open(checked),
      (error) => {
        if (!this.isEnded)
          this.fail("token", `token: ${error instanceof Error ? error.message : "the provider failed"}`, error);
      },
    );
  }

  /** @returns whether the connection was open. Bytes in flight are still lost if the connection breaks. */
  send(action: object): boolean {
    if (!this.isOpen) return false;
    try {
      this.socket?.send(JSON.stringify(action));
      return true;
    } catch {
      // The socket is closing: `onclose` follows.
      return false;
    }
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
    // The package ws throws an unhandled error event.
    socket.onerror = () => undefined;
    try {
      socket.close(1000);
    } catch {
      // The socket never opened.
    }
  }

  end(detail: EndDetail): void {
    if (this.isEnded) return;
    this.close();
    this.events.ended(detail);
  }

  private open(token: Token | undefined): void {
    if (this.isEnded) return;
    const { WebSocket, url } = this.settings;
    const subprotocols: string[] = [SUBPROTOCOLS.v1, SUBPROTOCOLS.raw];
    if (token) subprotocols.push(bearerSubprotocol(token));
    let socket: WebSocketLike;
    try {
      socket = this.socket = new WebSocket(url, subprotocols);
    } catch (error) {
      return this.fail("socket", "WebSocket could not be constructed", error);
    }
    socket.onopen = () => this.opened(token);
    socket.onmessage = ({ data }: { data: unknown }) => {
      this.heartbeat.alive();
      if (typeof data === "string") this.events.received(data);
      else this.settings.report("frame", "a binary frame");
    };
    socket.onclose = ({ code, reason }: { code?: number; reason?: string }) => this.closed(code, reason);
    socket.onerror = ({ message }: { message?: string }) => {
      // Node 22's WebSocket does not close after a refused handshake. If it was open, `onclose` follows.
      if (!this.isOpen) this.closed(ABNORMAL_CLOSURE, message, handshakeStatus(message));
    };
  }

  private opened(token: Token | undefined): void {
    const { clock, maxConnectionMs, random, report } = this.settings;
    const { subprotocol } = this;
    if (subprotocol !== SUBPROTOCOLS.v1 && subprotocol !== SUBPROTOCOLS.raw) {
      return this.fail(
        "socket",
        `the server selected the subprotocol ${JSON.stringify(subprotocol)}, which was not offered`,
      );
    }
    this.isOpen = true;
    this.heartbeat.start(subprotocol === SUBPROTOCOLS.v1);
    const expiresInMs = (token?.expiresAtMs ?? Infinity) - clock.now();
    this.timer.set(renewalDelayMs(maxConnectionMs, expiresInMs, random), this.events.renewalDue);
    this.events.opened();
    // Last: the callback may close the client.
    if (expiresInMs <= 0) report("token", "token: expiresAtMs has passed; it is ignored");
  }

  private closed(code: number | undefined, text = "", statusCode?: number): void {
    // Deno reports 0.
    const closeCode = code || ABNORMAL_CLOSURE;
    // Bun quotes the URL, and its query may contain a credential.
    const said = text.replace(/wss?:[^\s']+/g, "the URL");
    this.end({ reason: `closed with ${closeCode}${said && ` ${said}`}`, closeCode, ...(statusCode && { statusCode }) });
  }

  private fail(code: RelayClientErrorCode, reason: string, cause?: unknown): void {
    this.settings.report(code, reason, cause);
    this.end({ reason });
  }
}
