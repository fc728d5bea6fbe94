import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Api } from "./api";
import type { CustomDomains } from "./customDomains";
import type { GatewayEnvironment } from "./environment";
import { Handshake, refuse } from "./handshake";
import type { ApiInputs } from "./inputs";
import type { Listener } from "./listener";
import { handleManagement } from "./management";
import { Wire } from "./wire";

const forbidden = JSON.stringify({ message: "Forbidden" });

/** Which API a request is for, and under which name. */
interface Target {
  api: Api;
  handshake: Handshake;
  domainName: string;
}

/** What a server needs to find the API that a request to a custom domain is for. */
export interface ServerEnvironment extends GatewayEnvironment {
  readonly customDomains: CustomDomains;
  /** @throws ControlPlaneError where no API has the id. */
  server(apiId: string): ApiServer;
}

/** One API behind a port of its own: WebSockets and `@connections` on the same one, as on AWS. */
export class ApiServer {
  readonly api: Api;
  readonly handshake: Handshake;
  private readonly host: string;
  // Upgraded sockets are no longer the HTTP server's, which then cannot close them.
  private readonly sockets = new Set<Duplex>();

  constructor(
    private readonly environment: ServerEnvironment,
    inputs: ApiInputs,
    private readonly listener: Listener,
  ) {
    this.host = `127.0.0.1:${listener.port}`;
    this.api = new Api(environment, inputs, () => this.host);
    this.handshake = new Handshake(this.api);
    listener.serve({
      request: (request, response) => {
        const target = this.targetOf(request);
        if (!target) return void response.writeHead(403, { "content-type": "application/json" }).end(forbidden);
        handleManagement(target.api, request, response).catch(() => response.destroy());
      },
      upgrade: (request, socket, head) => {
        this.sockets.add(socket);
        socket.on("close", () => this.sockets.delete(socket));
        const target = this.targetOf(request);
        if (!target) {
          environment.trace.record("Client", "Gateway", "open");
          environment.trace.record("Gateway", "Client", "403 no API behind the host and path");
          return refuse(new Wire(socket), 403, forbidden);
        }
        target.handshake.upgrade(request, socket, head, target.domainName).catch((error: unknown) => {
          environment.log(`the gateway failed in a handshake: ${String(error)}`);
          socket.destroy();
        });
      },
    });
  }

  /** `ws://127.0.0.1:PORT` */
  get apiEndpoint(): string {
    return `ws://${this.host}`;
  }

  /**
   * The API that a custom domain name leads to, else this one; undefined where the domain has nothing behind the path, or
   * the API is not in service at its own address.
   */
  private targetOf(request: IncomingMessage): Target | undefined {
    const { customDomains } = this.environment;
    if (!customDomains.isFor(request)) {
      const { api, handshake, host: domainName } = this;
      return api.definition.hasOwnEndpoint ? { api, handshake, domainName } : undefined;
    }
    const mapping = customDomains.route(request);
    return mapping && { ...this.handlersOf(mapping.apiId), domainName: mapping.domainName };
  }

  private handlersOf(apiId: string): Pick<Target, "api" | "handshake"> {
    const { api, handshake } = this.environment.server(apiId);
    return { api, handshake };
  }

  async close(): Promise<void> {
    this.api.close();
    for (const socket of this.sockets) socket.destroy();
    await this.listener.close();
  }
}
