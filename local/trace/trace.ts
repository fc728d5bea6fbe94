import { EventEmitter } from "node:events";
import type { Participant, TraceDetails, TraceEvent } from "./traceEvent";

/** The steps of a local run, recorded by its parts. */
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
