import { EventEmitter } from "node:events";

/** The participants of the flow, in the order in which the diagrams draw them. */
export const participants = ["User", "Client", "BackendApi", "Publisher", "Gateway", "Lambda", "WSSessionDB"] as const;

export type Participant = (typeof participants)[number];

/** One arrow of a sequence diagram: what was sent, by whom, to whom. Never carries a payload or a token. */
export interface TraceEvent {
  atMs: number;
  from: Participant;
  to: Participant;
  label: string;
}

/** What happened in a local run, as the parts saw it happen. */
export class Trace {
  private readonly emitter = new EventEmitter<{ event: [TraceEvent] }>();

  record(from: Participant, to: Participant, label: string): void {
    this.emitter.emit("event", { atMs: Date.now(), from, to, label });
  }

  /** Calls `listener` with every later event; the returned function ends that. */
  subscribe(listener: (event: TraceEvent) => void): () => void {
    this.emitter.on("event", listener);
    return () => this.emitter.off("event", listener);
  }
}
