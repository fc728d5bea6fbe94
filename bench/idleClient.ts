import { RelayClient, type WebSocketConstructor, type WebSocketLike } from "../client";
import { SUBPROTOCOLS } from "../protocol";
import type { Mode } from "./deployed";
import { settled, VirtualClock } from "../tests/support/virtualClock";

export interface IdleMeasurement {
  days: number;
  pings: number;
  /** Connections opened: the gateway ends each after two hours at most. */
  connections: number;
}

const DAY_MS = 86_400_000;

/**
 * Counts the heartbeats of the real client library, connected to a relay that sends nothing, by a virtual clock. Without a
 * document the client takes the page as visible.
 */
export async function measureIdleClient(days: number, mode: Mode = "replay"): Promise<IdleMeasurement> {
  const clock = new VirtualClock();
  const counted = { pings: 0, connections: 0 };

  /** The other end answers at once. */
  class AnsweringSocket implements WebSocketLike {
    protocol: string = mode === "replay" ? SUBPROTOCOLS.v1 : SUBPROTOCOLS.raw;
    onopen: ((event: never) => void) | null = null;
    onmessage: ((event: never) => void) | null = null;
    onclose: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;
    private isOpen = true;

    constructor() {
      counted.connections += 1;
      queueMicrotask(() => this.isOpen && this.onopen?.({} as never));
    }

    send(text: string): void {
      const { action } = JSON.parse(text) as { action: string };
      if (action === "ping") {
        counted.pings += 1;
        this.answer({ type: "pong" });
      } else if (action === "resume") {
        this.answer(
          { type: "hello", oldest: 1, newest: 0 },
          { type: "resumed", recovered: true, first: 1, through: 0 },
        );
      }
    }

    close(): void {
      this.isOpen = false;
    }

    private answer(...envelopes: object[]): void {
      queueMicrotask(() => {
        for (const envelope of envelopes) {
          if (this.isOpen) this.onmessage?.({ data: JSON.stringify(envelope) } as never);
        }
      });
    }
  }

  let failure: Error | undefined;
  const client = new RelayClient({
    url: "wss://relay.example/live",
    context: "chat",
    contextId: "7",
    token: () => Promise.resolve("token"),
    WebSocket: AnsweringSocket as unknown as WebSocketConstructor,
    clock,
    random: () => 0.5,
    onMessage: () => undefined,
    onError: (error) => (failure ??= error),
  });
  client.connect();
  await settled();
  for (let day = 0; day < days; day++) await clock.advance(DAY_MS);
  const { state } = client;
  client.close();
  if (failure) throw failure;
  if (state !== "connected") throw new Error(`the idle client is ${state} after ${days} days`);
  return { days, ...counted };
}
