import { type Clock, RelayClient } from "../../../client";
import type { Cursor } from "../../../protocol";
import type { FakeSocket } from "../fakeSocket";
import type { Relay } from "./relay";
import type { Simulation } from "./simulation";
import type { Handled } from "./viewer";

/** Handlers of the items that a tab's client hands over. */
export interface TabEvents {
  /** Called when a message is handed over; `handled` is called once it is handled. */
  begun(cursor: Cursor): void;
  handled(item: Handled): void;
  gap: NonNullable<ConstructorParameters<typeof RelayClient>[0]["onGap"]>;
}

export interface TabOptions {
  user: string;
  contextId: string;
  maxConnectionMs: number;
  /** The cursor that an earlier page has stored. */
  cursor: Cursor | undefined;
  events: TabEvents;
}

/** A page with the real client, until it is closed or crashes. */
export class Tab {
  readonly client: RelayClient;
  isAlive = true;
  private readonly sockets: FakeSocket[] = [];

  constructor(
    private readonly simulation: Simulation,
    private readonly relay: Relay,
    { user, contextId, maxConnectionMs, cursor, events }: TabOptions,
  ) {
    // Some pages show a message at once, and some take longer.
    const slowMs = simulation.pick([0, 0, 20, 300]);
    this.client = new RelayClient({
      url: `wss://relay.test/dev?user=${user}`,
      context: "chat",
      contextId,
      maxConnectionMs,
      clock: this.clock(),
      random: simulation.random,
      heartbeatIntervalMs: simulation.pick([5_000, 30_000]),
      maxBufferedMessages: simulation.pick([5, 1_000]),
      // Most acknowledge as the relay announces.
      ...simulation.pick([{}, {}, {}, { ackEveryMessages: 3 }, { ackDelayMs: 1_000 }]),
      backoffCapMs: 10_000,
      WebSocket: relay.gateway.webSocketOf(user, this.sockets),
      cursorStore: { get: () => cursor, set: () => undefined },
      onMessage: async (message) => {
        events.begun(message as Cursor);
        if (slowMs > 0) await simulation.pause(simulation.between(0, slowMs));
        if (!this.isAlive) return await new Promise<void>(() => undefined);
        events.handled({ kind: "message", value: message });
      },
      onExpired: (message) => events.handled({ kind: "expired", value: { ...message, body: "" } }),
      onGap: (gap) => events.gap(gap),
      onError: ({ code, message }) => {
        if (["callback", "store", "frame", "bad-request", "gap"].includes(code)) {
          relay.ledger.violated(`the client reports ${code}: ${message}`);
        }
      },
    });
    this.client.connect();
  }

  has(socket: FakeSocket): boolean {
    return this.isAlive && this.sockets.includes(socket);
  }

  /** The user looks at the page: if another tab has taken the session over, this one takes it back. */
  takeBack(): void {
    if (this.isAlive) this.client.connect();
  }

  close(): void {
    this.client.close();
    this.isAlive = false;
  }

  /** The process ends without closing anything. */
  crash(): void {
    this.isAlive = false;
    for (const socket of this.sockets) this.relay.gateway.vanish(socket);
  }

  private clock(): Clock {
    const { clock } = this.simulation;
    return {
      now: () => clock.now(),
      setTimeout: (callback, delayMs) => clock.setTimeout(() => this.isAlive && callback(), delayMs),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    };
  }
}
