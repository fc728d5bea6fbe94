import type { TraceEvent } from "../trace/traceEvent";
import * as control from "./controlServer";
import { append, element, enable, say } from "./elements";
import { cutTexts, type ShownState, stateHelp, stateLabels, timeOfDay } from "./inWords";
import type { OwnConnections } from "./ownConnections";
import { RawClient } from "./rawClient";
import type { Addressee } from "./session";

/** The panel with a client of the same session that does without the client library. */
export class RawPanel {
  private client?: RawClient;
  private state: ShownState = "closed";
  private readonly counts = { "raw-shown": 0, "raw-lost": 0 };

  constructor(
    private readonly own: OwnConnections,
    private readonly claim: (connectionId: string) => void,
  ) {}

  connect(relay: control.Relay, addressee: Addressee, heartbeatMs: number): void {
    this.client?.close();
    this.client = new RawClient(relay, addressee, heartbeatMs, {
      onState: (state, reason) => this.show(state, reason),
      onConnection: (id) => {
        say("raw-connection", id ?? "none");
        if (id !== undefined) this.claim(id);
        this.enable();
      },
      onMessage: (body) => {
        this.count("raw-shown");
        const time = document.createElement("time");
        time.textContent = timeOfDay(Date.now());
        append(element("raw-messages"), time, body);
      },
    });
    this.client.connect();
  }

  disconnect(): void {
    this.client?.close();
  }

  async cut(how: "half-open" | "drop"): Promise<void> {
    const id = this.client?.connectionId;
    if (id === undefined) return;
    await control.cut(id, how);
    this.tell(`Cut: ${cutTexts[how]}`);
  }

  take(event: TraceEvent): void {
    const isCurrent = event.connectionId !== undefined && event.connectionId === this.client?.connectionId;
    if (event.failure === "half-open" && isCurrent && this.state === "connected") this.show("half-open");
    if (this.own.hasLostMessage(event, "raw client")) this.count("raw-lost");
  }

  private show(state: ShownState, reason?: string): void {
    this.state = state;
    say("raw-state", stateLabels[state]);
    element("raw-state").dataset.state = state;
    this.tell(stateHelp(state, { reason }));
    this.enable();
  }

  private tell(text: string): void {
    say("raw-help", text);
    element("raw-help").dataset.kind = "";
  }

  private enable(): void {
    enable("raw-disconnect", this.state !== "closed");
    const canCut = this.state === "connected" && this.client?.connectionId !== undefined;
    for (const id of ["raw-half-open", "raw-drop"]) enable(id, canCut);
  }

  private count(what: keyof RawPanel["counts"]): void {
    this.counts[what] += 1;
    say(what, String(this.counts[what]));
  }
}
