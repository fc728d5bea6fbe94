import { WebSocket } from "ws";
import { RelayClient, type RelayClientOptions } from "../../client";
import type { Recipient, Relay } from "./relay";

type Options = Pick<RelayClientOptions, "onMessage" | "onGap" | "onError" | "onStateChange" | "cursorStore" | "from">;

/** A page with the client library over real sockets, until it is closed, or is gone without a word. */
export class ClientPage {
  readonly client: RelayClient;
  private readonly sockets: WebSocket[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private isAlive = true;

  constructor(relay: Relay, to: Recipient, options: Options) {
    const { context, contextId } = to;
    const register = (socket: WebSocket) => this.sockets.push(socket);
    // The class of the package ws as it is; it is known here so that a crash can end it without a word.
    class RegisteredSocket extends WebSocket {
      constructor(url: string, subprotocols: string[]) {
        super(url, subprotocols);
        register(this);
      }
    }
    this.client = new RelayClient({
      url: relay.addresses.websocketUrl,
      context,
      contextId,
      token: async () => {
        const token = await relay.token(to.user);
        // A page that is gone meanwhile opens no connection: it would take the session from the one after it.
        return this.isAlive ? token : new Promise<never>(() => undefined);
      },
      WebSocket: RegisteredSocket,
      // A half-open connection is found out while others still work, and no time is spent on waiting.
      heartbeatIntervalMs: 500,
      heartbeatTimeoutMs: 1_000,
      backoffBaseMs: 20,
      backoffCapMs: 500,
      resumeTimeoutMs: 2_000,
      ackDelayMs: 100,
      clock: {
        now: () => Date.now(),
        setTimeout: (callback, delayMs) => {
          const timer = setTimeout(() => this.isAlive && callback(), delayMs);
          this.timers.add(timer);
          return timer;
        },
        clearTimeout: (handle) => {
          clearTimeout(handle as NodeJS.Timeout);
          this.timers.delete(handle as NodeJS.Timeout);
        },
      },
      ...options,
    });
    this.client.connect();
  }

  close(): void {
    this.client.close();
    this.isAlive = false;
  }

  /** The process ends in the middle of whatever it does. */
  crash(): void {
    this.isAlive = false;
    // Else the runner would wait for them.
    this.timers.forEach((timer) => clearTimeout(timer));
    for (const socket of this.sockets) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.terminate();
    }
  }
}
