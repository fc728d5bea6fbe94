import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Api } from "./api";
import type { GatewayEnvironment } from "./environment";
import { Handshake } from "./handshake";
import type { ApiInputs } from "./inputs";
import { handleManagement } from "./management";

/** One API behind an HTTP server of its own on 127.0.0.1: WebSockets and `@connections` on the same port, as on AWS. */
export class ApiServer {
  readonly api: Api;
  private readonly server: Server;
  // Upgraded sockets are no longer the HTTP server's, which then cannot close them.
  private readonly sockets = new Set<Duplex>();
  private host = "";

  constructor(environment: GatewayEnvironment, inputs: ApiInputs) {
    this.api = new Api(environment, inputs, () => this.host);
    const handshake = new Handshake(this.api);
    this.server = createServer((request, response) => {
      handleManagement(this.api, request, response).catch(() => response.destroy());
    });
    // An SDK client keeps its connections; one that closes under its request would be a failure AWS does not have.
    this.server.keepAliveTimeout = 65_000;
    this.server.on("upgrade", (request, socket, head) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      handshake.upgrade(request, socket, head).catch((error: unknown) => {
        environment.log(`the gateway failed in a handshake: ${String(error)}`);
        socket.destroy();
      });
    });
  }

  /** `ws://127.0.0.1:PORT` */
  get apiEndpoint(): string {
    return `ws://${this.host}`;
  }

  /** Rejects where `port` is taken, with `code` "EADDRINUSE". */
  async listen(port: number): Promise<void> {
    this.server.listen(port, "127.0.0.1");
    try {
      await once(this.server, "listening");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EADDRINUSE") throw error;
      const message = `Port ${port} on 127.0.0.1 is taken: stop what listens there, or choose another port`;
      throw Object.assign(new Error(message, { cause: error }), { code });
    }
    this.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.api.close();
    for (const socket of this.sockets) socket.destroy();
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
