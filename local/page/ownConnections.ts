import type { TraceEvent } from "../trace/traceEvent";

/** The connections that this page has opened, and what the trace reports about them but frames do not. */
export class OwnConnections {
  private readonly ids = new Set<string>();

  add(id: string): void {
    this.ids.add(id);
  }

  isIn({ connectionId }: Pick<TraceEvent, "connectionId">): boolean {
    return connectionId !== undefined && this.ids.has(connectionId);
  }

  /**
   * Whether the gateway has answered 200 for a message to one that was half-open. In retry mode nothing sends it again: the
   * queue has deleted it.
   */
  hasLostMessage(event: Pick<TraceEvent, "connectionId" | "failure">): boolean {
    return event.failure === "message lost" && this.isIn(event);
  }
}
