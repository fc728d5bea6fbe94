import type { TraceEvent } from "../trace/traceEvent";

/** The clients that the page itself runs: the client library's and the one without it. */
export type OwnClient = "client" | "raw client";

/** The connections that this page has opened, and what the trace reports about them but frames do not. */
export class OwnConnections {
  private readonly clients = new Map<string, OwnClient>();

  add(id: string, client: OwnClient): void {
    this.clients.set(id, client);
  }

  /** Which of the page's clients a step belongs to; undefined for any other step. */
  clientOf({ connectionId }: Pick<TraceEvent, "connectionId">): OwnClient | undefined {
    return connectionId === undefined ? undefined : this.clients.get(connectionId);
  }

  /**
   * Whether the gateway has answered 200 for a message to a half-open connection of that client. In retry mode, and for a raw
   * client, nothing sends it again.
   */
  hasLostMessage(event: Pick<TraceEvent, "connectionId" | "failure">, client: OwnClient): boolean {
    return event.failure === "message lost" && this.clientOf(event) === client;
  }
}
