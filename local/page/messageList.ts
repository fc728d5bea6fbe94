import type { RelayMessage } from "../../client";
import type { Origin } from "./arrivals";
import { append, element, say } from "./elements";

/** The messages that the client has handed over, and what it noticed meanwhile. */
export class MessageList {
  private readonly counts = { shown: 0, replayed: 0, expired: 0, gaps: 0 };

  show({ seq, body }: RelayMessage, origin: Origin | undefined): void {
    this.count("shown");
    if (origin === "replayed") this.count("replayed");
    const badge = document.createElement("span");
    badge.className = `badge ${origin ?? ""}`;
    badge.textContent = seq === undefined ? "no number" : `#${seq} ${origin ?? ""}`;
    const entry = append(element("messages"), badge, body);
    if (seq !== undefined) entry.dataset.seq = String(seq);
    if (origin) entry.dataset.origin = origin;
  }

  count(what: keyof typeof this.counts): void {
    this.counts[what] += 1;
    say(what, String(this.counts[what]));
  }

  duplicates(count: number): void {
    say("duplicates", String(count));
  }

  notice(text: string): void {
    append(element("notices"), `${new Date().toLocaleTimeString()} ${text}`);
  }
}
