import type { TraceEvent } from "../traceEvent";

/**
 * The connections that this page has opened, and what the trace says about them that no frame can: that the network was cut,
 * and what the gateway accepted for them afterwards.
 */
export class OwnConnections {
  private readonly names = new Set<string>();

  add(id: string): void {
    this.names.add(nameOf(id));
  }

  isIn({ label }: Pick<TraceEvent, "label">): boolean {
    return label.split(/[ :]/).some((word) => this.names.has(word));
  }

  /**
   * `cut`: a connection is half-open from here on. `message lost`: the gateway has answered 200 for a message to one that was
   * half-open. In retry mode nothing sends it again: the queue has deleted it.
   */
  fateIn(event: TraceEvent): { of: "cut"; isOf(id: string): boolean } | { of: "message lost" } | undefined {
    if (!this.isIn(event)) return undefined;
    const { from, to, label } = event;
    if (from === "Client" && to === "Gateway" && label.startsWith("the network is gone")) {
      return { of: "cut", isOf: (id) => label.endsWith(nameOf(id)) };
    }
    if (from === "Gateway" && to === "Client" && /^message .* is lost, unnoticed$/.test(label)) {
      return { of: "message lost" };
    }
    return undefined;
  }
}

/** As local/gateway/ids.ts names a connection in traces. */
function nameOf(id: string): string {
  return `…${id.slice(-5)}`;
}
