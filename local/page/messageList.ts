import type { RelayMessage } from "../../client";
import type { Origin } from "./arrivals";
import { append, element, say } from "./elements";
import { timeOfDay } from "./inWords";

/** The messages that the client has handed over, and what happened to the client meanwhile. */
export class MessageList {
  readonly counts = { shown: 0, lost: 0, replayed: 0, expired: 0, gaps: 0 };

  constructor(private readonly onCount: () => void) {}

  show({ seq, body }: RelayMessage, origin: Origin | undefined): void {
    this.count("shown");
    if (origin === "replayed") this.count("replayed");
    const badge = document.createElement("span");
    badge.className = `badge ${origin ?? ""}`;
    badge.textContent = seq === undefined ? "" : `#${seq} ${origin ?? ""}`;
    const entry = append(element("messages"), now(), ...(seq === undefined ? [] : [badge]), body);
    if (seq !== undefined) entry.dataset.seq = String(seq);
    if (origin) entry.dataset.origin = origin;
  }

  count(what: keyof typeof this.counts): void {
    this.counts[what] += 1;
    say(what, String(this.counts[what]));
    if (what === "lost") element("lost").dataset.kind = "bad";
    this.onCount();
  }

  duplicates(count: number): void {
    say("duplicates", String(count));
  }

  notice(text: string, kind?: "bad"): void {
    append(element("notices"), now(), text).className = kind ?? "";
  }
}

function now(): HTMLTimeElement {
  const time = document.createElement("time");
  time.textContent = timeOfDay(Date.now());
  return time;
}
