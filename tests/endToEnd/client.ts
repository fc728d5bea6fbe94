import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

/** A WebSocket client that keeps every message from before it is open. */
export class Client {
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  readonly messages: string[] = [];

  constructor(url: string, options: ClientOptions, subprotocols?: string[]) {
    this.socket = new WebSocket(url, subprotocols, options);
    this.opened = once(this.socket, "open").then(() => undefined);
    this.opened.catch(() => undefined);
    this.socket.on("error", () => undefined);
    this.socket.on("message", (message: Buffer) => this.messages.push(message.toString()));
  }

  /** Resolves when the client has got this message. */
  async message(expected: string): Promise<void> {
    while (!this.messages.includes(expected)) {
      await once(this.socket, "message");
    }
  }

  async close(): Promise<void> {
    this.socket.close(1000);
    await once(this.socket, "close");
  }
}
