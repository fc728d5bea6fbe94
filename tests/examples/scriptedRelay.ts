import { EventEmitter, on, once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type FrameToClient, type FrameToRelay, SUBPROTOCOLS } from "../../protocol";

/** A relay that says what a test tells it to, and nothing else; and the issuer of its tokens. */
export class ScriptedRelay {
  /** The query and the Authorization header of each handshake. */
  readonly handshakes: { query: URLSearchParams; authorization?: string }[] = [];
  /** How many of the next handshakes are refused. */
  refusals = 0;
  private readonly accepted = new EventEmitter();
  private readonly connections: AsyncIterator<ScriptedConnection[]>;

  private constructor(
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
  ) {
    this.connections = on(this.accepted, "connection")[Symbol.asyncIterator]() as AsyncIterator<ScriptedConnection[]>;
    server.on("request", (_request, response) => response.end("a-token"));
    server.on("upgrade", (request, socket, head) => {
      const { url = "", headers } = request;
      this.handshakes.push({
        query: new URL(url, "ws://relay").searchParams,
        authorization: headers.authorization,
      });
      if (this.refusals-- > 0) return socket.end("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
      sockets.handleUpgrade(request, socket, head, (opened) => {
        this.accepted.emit("connection", new ScriptedConnection(opened));
      });
    });
  }

  static async start(): Promise<ScriptedRelay> {
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOLS.v1 });
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedRelay(server, sockets);
  }

  get authority(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next connection that was not returned yet. */
  async connection(): Promise<ScriptedConnection> {
    const { value } = (await this.connections.next()) as { value: [ScriptedConnection] };
    return value[0];
  }

  async stop(): Promise<void> {
    this.sockets.clients.forEach((socket) => socket.terminate());
    await new Promise((closed) => this.server.close(closed));
  }
}

export class ScriptedConnection {
  /** Resolves when it is closed, with the close code. */
  readonly closed: Promise<number>;
  private readonly frames: AsyncIterator<[Buffer]>;

  constructor(private readonly socket: WebSocket) {
    this.frames = on(socket, "message", { close: ["close"] }) as AsyncIterator<[Buffer]>;
    this.closed = once(socket, "close").then(([code]) => code as number);
  }

  /** The next frame. @throws where the connection ends before */
  async next(): Promise<FrameToRelay> {
    const { value, done } = await this.frames.next();
    if (done) throw new Error("the connection has ended without another frame");
    return JSON.parse(value[0].toString()) as FrameToRelay;
  }

  send(frame: FrameToClient): void {
    this.socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.socket.close(1001);
  }
}
