import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import {
  BEARER_SUBPROTOCOL_PREFIX,
  type FrameToRelay,
  MAX_FRAME_BYTES,
  offeredSubprotocols,
  SUBPROTOCOLS,
} from "../../protocol";
import { frameProblem } from "./frameProblem";

/** A handshake, accepted or refused. */
export interface Handshake {
  /** The query as the client sent it, without the question mark. */
  query: string;
  offered: string[];
  /** The token of its `Authorization` header or of its subprotocol. */
  token?: string;
  atMs: number;
}

/** A relay that a scenario controls, and the issuer of its tokens, on a free port of this machine. */
export class ScriptedRelay {
  readonly handshakes: Handshake[] = [];
  readonly connections: Connection[] = [];
  /** Tokens that were issued, in order. */
  readonly tokens: string[] = [];
  /** HTTP statuses with which the next handshakes are refused. */
  refusals: number[] = [];
  private readonly sockets = new WebSocketServer({ noServer: true, handleProtocols: selected });

  private constructor(
    private readonly server: Server,
    private readonly changed: () => void,
  ) {
    server.on("request", (_request, response) => {
      const token = `token-${this.tokens.length + 1}`;
      this.tokens.push(token);
      response.setHeader("content-type", "text/plain").end(token);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(request, socket, head),
    );
  }

  static async start(changed: () => void): Promise<ScriptedRelay> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedRelay(server, changed);
  }

  get url(): string {
    return `ws://${this.authority}/live`;
  }

  get tokenUrl(): string {
    return `http://${this.authority}/token`;
  }

  async stop(): Promise<void> {
    this.sockets.clients.forEach((socket) => socket.terminate());
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private get authority(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { url = "", headers } = request;
    const offered = offeredSubprotocols(headers["sec-websocket-protocol"] ?? "");
    const bearer = offered.find((value) => value.startsWith(BEARER_SUBPROTOCOL_PREFIX));
    const token =
      /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? bearer?.slice(BEARER_SUBPROTOCOL_PREFIX.length);
    this.handshakes.push({ query: url.split("?")[1] ?? "", offered, token, atMs: performance.now() });
    socket.on("error", () => undefined);
    const status = this.refusals.shift();
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    } else {
      this.sockets.handleUpgrade(request, socket, head, (opened) => {
        this.connections.push(new Connection(opened, this.changed));
        this.changed();
      });
    }
    this.changed();
  }
}

function selected(offered: Set<string>): string | false {
  return offered.has(SUBPROTOCOLS.v1) && SUBPROTOCOLS.v1;
}

/** What the gateway answers to a `ping`; nothing over a dead connection. */
const PING_ANSWERS = {
  pong: { type: "pong" },
  throttled: gatewayError("Too Many Requests"),
  nothing: undefined,
};

/** One connection of the client under test. */
export class Connection {
  /** What the client has sent, with the time of arrival. */
  readonly received: { frame: FrameToRelay; atMs: number }[] = [];
  /** What the client has sent that is not a frame of the protocol. */
  readonly problems: string[] = [];
  /** How `ping` is answered. */
  pingAnswer: keyof typeof PING_ANSWERS = "pong";
  /** Called with each `ping`. */
  onPing: (() => void) | undefined;
  /** The close code; 1006 without a close frame. */
  closeCode: number | undefined;
  /** Number of received frames that the scenario has looked at. */
  taken = 0;

  constructor(
    private readonly socket: WebSocket,
    changed: () => void,
  ) {
    socket.on("message", (data: Buffer, isBinary) => {
      const problem = isBinary ? "a binary frame" : frameProblem(data.toString(), MAX_FRAME_BYTES);
      if (problem === undefined) this.receive(JSON.parse(data.toString()) as FrameToRelay);
      else this.problems.push(problem);
      changed();
    });
    socket.on("close", (code) => {
      this.closeCode = code;
      changed();
    });
    socket.on("error", () => undefined);
  }

  get isClosed(): boolean {
    return this.closeCode !== undefined;
  }

  /** The frames of one action. */
  sent<Action extends FrameToRelay["action"]>(action: Action): Extract<FrameToRelay, { action: Action }>[] {
    return this.received.flatMap(({ frame }) =>
      frame.action === action ? [frame as Extract<FrameToRelay, { action: Action }>] : [],
    );
  }

  /** Sends the envelopes in one frame. */
  send(...envelopes: object[]): void {
    this.sendText(JSON.stringify(envelopes.length === 1 ? envelopes[0] : envelopes));
  }

  sendText(text: string): void {
    this.socket.send(text);
  }

  /** Sends one message in several WebSocket frames, as API Gateway does above 32 KB. */
  sendSplit(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += MAX_FRAME_BYTES) {
      const fin = at + MAX_FRAME_BYTES >= bytes.length;
      this.socket.send(bytes.subarray(at, at + MAX_FRAME_BYTES), { binary: false, fin });
    }
  }

  close(code: number): void {
    this.socket.close(code);
  }

  /** Ends the connection without a close frame. */
  drop(): void {
    this.socket.terminate();
  }

  private receive(frame: FrameToRelay): void {
    this.received.push({ frame, atMs: performance.now() });
    if (frame.action !== "ping") return;
    const answer = PING_ANSWERS[this.pingAnswer];
    if (answer !== undefined) this.send(answer);
    this.onPing?.();
  }
}

/** An error of API Gateway itself, which has no type. */
export function gatewayError(message: string): object {
  return { message, connectionId: "L0SM9cOFvHcCIhw=", requestId: "L0SOUFQlvHcFjEA=" };
}
