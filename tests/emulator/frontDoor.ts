import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { SUBPROTOCOLS } from "../../protocol";

/**
 * A proxy in front of ministack that adds two things which AWS has:
 *
 * - TLS ends here, by the header that a load balancer would add, so that policies which deny calls without TLS are met.
 * - The answer to a handshake names a subprotocol. ministack drops the one that `$connect` answers. This is the one that a
 *   relay in replay mode answers, so clients of a relay in retry mode offer none.
 */
export class FrontDoor {
  private behind = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: http.Server) {
    server.on("request", (request, response) => this.pass(request, response));
    server.on("upgrade", (request, socket, head) => this.upgrade(request, socket as Socket, head));
    server.on("connection", (socket) => this.keep(socket));
  }

  static async start(): Promise<FrontDoor> {
    const server = http.createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FrontDoor(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  leadTo(port: number): void {
    this.behind = port;
  }

  async close(): Promise<void> {
    this.server.close();
    this.sockets.forEach((socket) => socket.destroy());
    await once(this.server, "close");
  }

  private pass(request: http.IncomingMessage, response: http.ServerResponse): void {
    const passed = this.passed(request);
    passed.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  }

  private upgrade(request: http.IncomingMessage, client: Socket, head: Buffer): void {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/ *, */);
    const answered = [SUBPROTOCOLS.v1, SUBPROTOCOLS.raw].find((subprotocol) => offered.includes(subprotocol));
    const passed = this.passed(request);
    passed.on("upgrade", (answer, server: Socket, serverHead: Buffer) => {
      this.keep(server);
      const subprotocol = answered === undefined ? [] : ["sec-websocket-protocol", answered];
      client.write(headOf(answer, [...answer.rawHeaders, ...subprotocol]));
      client.write(serverHead);
      server.write(head);
      server.pipe(client).pipe(server);
      // A connection that is lost on one side is lost on the other, without a close frame.
      client.on("close", () => server.destroy());
      server.on("close", () => client.destroy());
    });
    passed.on("response", (answer) => {
      client.write(headOf(answer, answer.rawHeaders));
      answer.pipe(client);
    });
    passed.on("error", () => client.destroy());
    passed.end();
  }

  private passed({ method, url, rawHeaders }: http.IncomingMessage): http.ClientRequest {
    // Signatures cover the host and the path, so both stay as they are.
    const headers = [...rawHeaders, "x-forwarded-proto", "https"];
    return http.request({ host: "127.0.0.1", port: this.behind, method, path: url, headers, agent: false });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.sockets.delete(socket));
  }
}

function headOf({ statusCode, statusMessage }: http.IncomingMessage, rawHeaders: string[]): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
  return `${[`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines].join("\r\n")}\r\n\r\n`;
}
