import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOLS } from "../../../protocol";
import type { FakeSocket } from "../fakeSocket";
import type { Relay } from "./relay";
import type { Simulation } from "./simulation";

/** A client that gets messages as they were published, and connects again when its connection ends, until it is closed. */
export class RawDevice {
  isAlive = true;
  private readonly sockets: FakeSocket[] = [];
  private readonly subprotocols: string[];

  constructor(
    private readonly simulation: Simulation,
    private readonly relay: Relay,
    private readonly user: string,
  ) {
    this.subprotocols = simulation.pick([[], [SUBPROTOCOLS.raw], [`${BEARER_SUBPROTOCOL_PREFIX}token`]]);
    this.connect();
    simulation.start(() => this.watch());
  }

  has(socket: FakeSocket): boolean {
    return this.isAlive && this.sockets.at(-1) === socket;
  }

  close(): void {
    this.isAlive = false;
    this.sockets.at(-1)?.close();
  }

  /** The process ends without closing anything. */
  crash(): void {
    this.isAlive = false;
    for (const socket of this.sockets) this.relay.gateway.vanish(socket);
  }

  private connect(): void {
    const { simulation, relay, user } = this;
    if (!this.isAlive) return;
    const WebSocket = relay.gateway.webSocketOf(user, this.sockets);
    const socket = new WebSocket(`wss://relay.test/dev?user=${user}&context=chat&contextId=${user}`, this.subprotocols);
    socket.onclose = () => {
      if (this.has(socket as FakeSocket)) simulation.after(simulation.between(100, 5_000), () => this.connect());
    };
  }

  /** Detects a connection that is half-open, as a client's own keep-alive does. */
  private async watch(): Promise<void> {
    const { simulation, relay } = this;
    while (this.isAlive) {
      await simulation.pause(simulation.between(5_000, 60_000));
      const socket = this.sockets.at(-1);
      if (!this.isAlive || !socket || socket.state === "closed" || relay.gateway.passes(socket)) continue;
      relay.gateway.vanish(socket);
      this.connect();
    }
  }
}
