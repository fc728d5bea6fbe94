import { WebSocket } from "ws";
import { type Cursor, memoryCursorStore, RelayClient, type RelayClientOptions } from "../client";
import type { VirtualClock } from "../tests/support/virtualClock";
import { Reception } from "./reception";
import type { Missed, Player } from "./recovery";
import { type BenchRelay, CONTEXT, until } from "./relay";

/** Plays clients of a relay in replay mode, each as another user. */
export function relayPlayer(relay: BenchRelay): Player {
  let users = 0;
  return {
    async prepare({ bodies }: Missed) {
      const user = `user-${++users}`;
      const cursor = await missMessages(relay, user, bodies);
      return {
        async reconnect() {
          const reception = new Reception();
          const times = reception.measure(bodies.length);
          const client = await PlayedClient.connect(relay, user, reception, cursor);
          try {
            return await times;
          } finally {
            client.breakOff();
            client.close();
            await relay.untilGone(user);
          }
        },
        end: () => undefined,
      };
    },
  };
}

/**
 * A client receives one message, loses its connection, and misses others, which are then stored.
 *
 * @returns the client's cursor.
 */
export async function missMessages(relay: BenchRelay, user: string, bodies: readonly string[]): Promise<Cursor> {
  const reception = new Reception();
  const client = await PlayedClient.connect(relay, user, reception);
  const first = reception.received(1);
  await relay.publish(user, ["first"]);
  await first;
  const { cursor } = client;
  client.breakOff();
  client.close();
  await relay.untilGone(user);
  await relay.publish(user, bodies);
  await relay.untilQueueIsEmpty();
  if (!cursor) throw new Error(`${user} received a message without a number`);
  return cursor;
}

/** The client library with a connection that can be broken. */
export class PlayedClient {
  private readonly client: RelayClient;
  private socket: WebSocket | undefined;
  private failed: Error | undefined;
  private isBroken = false;
  /** Frames that have arrived since the last ping: one of them is its pong. */
  private framesSincePing = 1;

  private constructor(
    private readonly relay: BenchRelay,
    private readonly user: string,
    token: string,
    reception: Reception,
    cursor: Cursor | undefined,
    options: Partial<RelayClientOptions>,
    connected: () => void,
  ) {
    const remember = (socket: WebSocket) => {
      this.socket = socket;
      // Registered before the library's own listener, which resumes: this is the transport's `open`.
      socket.once("open", () => reception.opened());
      socket.on("message", () => (this.framesSincePing += 1));
    };
    const sent = (text: string) => this.sent(text);
    class ObservedWebSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        remember(this);
      }

      override send(data: string): void {
        if (this.readyState === WebSocket.OPEN) sent(data);
        super.send(data);
      }
    }
    this.client = new RelayClient({
      ...options,
      ...CONTEXT,
      url: relay.addresses.websocketUrl,
      WebSocket: ObservedWebSocket,
      cursorStore: memoryCursorStore(cursor),
      token: () => Promise.resolve(token),
      onMessage: ({ body }) => reception.message(body),
      onGap: () => this.fail(new Error(`${user} has a gap`)),
      onError: (error) => this.fail(error),
      onStateChange: (state) => state === "connected" && connected(),
    });
    this.client.connect();
  }

  /** Resolves once the client is connected and has resumed. */
  static async connect(
    relay: BenchRelay,
    user: string,
    reception: Reception,
    cursor?: Cursor,
    options: Partial<RelayClientOptions> = {},
  ): Promise<PlayedClient> {
    const token = await relay.token(user);
    return new Promise((resolve) => {
      const client: PlayedClient = new PlayedClient(relay, user, token, reception, cursor, options, () =>
        resolve(client),
      );
    });
  }

  /** The cursor of the last handled message. */
  get cursor(): Cursor | undefined {
    return this.client.cursor;
  }

  /**
   * Lets this much time pass by the client's clock, which must be a virtual one. Each timer that is due goes off, and the relay
   * handles what the client sends then before the next one does.
   */
  async pass(clock: VirtualClock, durationMs: number): Promise<void> {
    const untilMs = clock.now() + durationMs;
    await this.untilQuiet();
    while ((clock.nextMs ?? Infinity) <= untilMs) {
      clock.runNext();
      await this.untilQuiet();
    }
    await clock.advance(untilMs - clock.now());
  }

  /** Acknowledges what is left, closes, and resolves once the relay has handled both. */
  async leave(): Promise<void> {
    this.close();
    await this.relay.untilHandled();
    await this.relay.untilGone(this.user);
  }

  /** Resolves once the relay has answered what the client sent. */
  private async untilQuiet(): Promise<void> {
    await until(() => Promise.resolve(this.framesSincePing > 0));
    await this.relay.untilHandled();
  }

  /** Ends the connection without a close frame. */
  breakOff(): void {
    this.isBroken = true;
    this.socket?.terminate();
  }

  /** @throws the first error of the client. */
  close(): void {
    this.client.close();
    if (this.failed) throw this.failed;
  }

  private sent(text: string): void {
    const { action } = JSON.parse(text) as { action: string };
    if (action === "ping") this.framesSincePing = 0;
    else this.relay.frames += 1;
  }

  private fail(error: Error): void {
    if (!this.isBroken) this.failed ??= error;
  }
}
