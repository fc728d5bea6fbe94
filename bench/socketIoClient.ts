import { io, type Socket } from "socket.io-client";
import type { WebSocket } from "ws";
import type { Child } from "./childProcess";
import type { Missed, Player } from "./recovery";
import { Reception } from "./reception";
import type { SocketIoRequest } from "./socketIoServer";

/** Plays clients of Socket.IO, each in its own namespace. */
export function socketIoPlayer(server: Child<SocketIoRequest, { url: string }>, url: string): Player {
  let users = 0;
  return {
    async prepare({ bodies }: Missed) {
      const namespace = `/user-${++users}`;
      const reception = new Reception();
      const client = new Client(`${url}${namespace}`, reception);
      await client.connected();
      // The offset of this message tells the server where to continue.
      const first = reception.received(1);
      await server.ask({ emit: { namespace, bodies: ["first"] } });
      await first;
      return {
        async reconnect() {
          const gone = server.ask({ disconnected: namespace });
          await client.breakOff();
          await gone;
          await server.ask({ emit: { namespace, bodies } });
          const times = reception.measure(bodies.length);
          client.connect();
          const measured = await times;
          if (!client.recovered) throw new Error("Socket.IO did not recover the connection");
          return measured;
        },
        end: () => client.close(),
      };
    },
  };
}

class Client {
  private readonly socket: Socket;
  private transport: WebSocket | undefined;

  constructor(
    url: string,
    private readonly reception: Reception,
  ) {
    this.socket = io(url, { transports: ["websocket"], reconnection: false, forceNew: true, autoConnect: false });
    this.socket.on("message", (body: string) => reception.message(body));
    this.connect();
  }

  get recovered(): boolean {
    return this.socket.recovered;
  }

  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once("connect", resolve);
      this.socket.once("connect_error", reject);
    });
  }

  /** Ends the connection without a close frame. */
  async breakOff(): Promise<void> {
    const gone = new Promise((resolve) => this.socket.once("disconnect", resolve));
    this.transport?.terminate();
    await gone;
  }

  connect(): void {
    this.socket.connect();
    // The library has created the transport, but has no event for its `open`: so listen before the library does.
    this.transport = (this.socket.io.engine.transport as unknown as { ws: WebSocket }).ws;
    this.transport.prependListener("open", () => this.reception.opened());
  }

  close(): void {
    this.socket.disconnect();
  }
}
