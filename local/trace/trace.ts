import { EventEmitter } from "node:events";
import type { Participant, TraceDetails, TraceEvent } from "./traceEvent";

/** What happened in a local run, as the parts saw it happen. */
export class Trace {
  private readonly emitter = new EventEmitter<{ event: [TraceEvent] }>();

  record(from: Participant, to: Participant, label: string, details: TraceDetails = {}): void {
    this.emitter.emit("event", { atMs: Date.now(), from, to, label, ...details });
  }

  /** Calls `listener` with every later event; the returned function ends that. */
  subscribe(listener: (event: TraceEvent) => void): () => void {
    this.emitter.on("event", listener);
    return () => this.emitter.off("event", listener);
  }
}
