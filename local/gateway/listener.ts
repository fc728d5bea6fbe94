import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

export interface ListenerHandlers {
  request: RequestListener;
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/**
 * A port of 127.0.0.1, and the same port of another address of this machine where clients come from other devices. There
 * only WebSockets are answered: an unsigned call to the management API counts as the administrator's.
 */
export class Listener {
  private constructor(private readonly servers: readonly Server[]) {}

  /** Rejects where `port` is taken, with `code` "EADDRINUSE". @param port 0 takes any free one */
  static async open(port: number, host?: string): Promise<Listener> {
    const servers = [await listen(port, "127.0.0.1")];
    const listener = new Listener(servers);
    if (host === undefined) return listener;
    try {
      servers.push(await listen(listener.port, host));
      return listener;
    } catch (error) {
      await listener.close();
      throw error;
    }
  }

  get port(): number {
    return (this.servers[0]?.address() as AddressInfo).port;
  }

  /** From now on requests are answered. */
  serve({ request, upgrade }: ListenerHandlers): void {
    this.servers.forEach((server, index) => {
      server.on("request", index === 0 ? request : (_, response) => response.writeHead(403).end());
      server.on("upgrade", upgrade);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.servers.map((server) => {
        server.closeAllConnections();
        return new Promise<void>((resolve) => server.close(() => resolve()));
      }),
    );
  }
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer();
  // An SDK client keeps its connections; one that closes under its request would be a failure AWS does not have.
  server.keepAliveTimeout = 65_000;
  server.listen(port, host);
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(listenProblem(code, port, host), { cause: error }), { code });
  }
}

function listenProblem(code: string | undefined, port: number, host: string): string {
  if (code === "EADDRINUSE") return `Port ${port} on ${host} is taken: stop what listens there, or choose another port`;
  if (code === "EADDRNOTAVAIL") return `${host} is no address of this machine that can be listened on (${code})`;
  return `Cannot listen on port ${port} of ${host} (${code})`;
}
