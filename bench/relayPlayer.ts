import { WebSocket } from "ws";
import { type Cursor, memoryCursorStore, RelayClient, type RelayClientOptions } from "../client";
import { Reception } from "./reception";
import type { Missed, Player } from "./recovery";
import { type BenchRelay, CONTEXT } from "./relay";

/** Plays clients of a relay in replay mode, each as another user. */
export function relayPlayer(relay: BenchRelay): Player {
  let users = 0;
  return {
    async prepare({ count, body }: Missed) {
      const user = `user-${++users}`;
      const cursor = await missMessages(relay, user, body, count);
      return {
        async reconnect() {
          const reception = new Reception();
          const times = reception.measure(count);
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
 * A client receives one message, loses its connection, and misses `count` others, which are then stored.
 *
 * @returns the client's cursor.
 */
export async function missMessages(relay: BenchRelay, user: string, body: string, count: number): Promise<Cursor> {
  const reception = new Reception();
  const client = await PlayedClient.connect(relay, user, reception);
  const first = reception.received(1);
  await relay.publish(user, body, 1);
  await first;
  const { cursor } = client;
  client.breakOff();
  client.close();
  await relay.untilGone(user);
  await relay.publish(user, body, count);
  await relay.untilStored(user, 1 + count);
  if (!cursor) throw new Error(`${user} received a message without a number`);
  return cursor;
}

/** The client library with a connection that can be broken. */
export class PlayedClient {
  private readonly client: RelayClient;
  private socket: WebSocket | undefined;
  private failed: Error | undefined;
  private isBroken = false;

  private constructor(
    relay: BenchRelay,
    user: string,
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
    };
    class ObservedWebSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        remember(this);
      }
    }
    this.client = new RelayClient({
      ...options,
      ...CONTEXT,
      url: relay.addresses.websocketUrl,
      WebSocket: ObservedWebSocket,
      cursorStore: memoryCursorStore(cursor),
      token: () => Promise.resolve(token),
      onMessage: () => reception.message(),
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

  private fail(error: Error): void {
    if (!this.isBroken) this.failed ??= error;
  }
}
