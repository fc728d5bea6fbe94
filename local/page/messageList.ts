import type { RelayMessage, StreamPiece } from "../../client";
import type { Origin } from "./arrivals";
import { append, element, say } from "./elements";
import { timeOfDay } from "./inWords";

/** The messages that the client has handed over, and what happened to the client meanwhile. */
export class MessageList {
  readonly counts = { shown: 0, lost: 0, replayed: 0, expired: 0, gaps: 0 };
  /** The entries of streams that are open, by the streams' IDs. */
  private readonly streams = new Map<string, HTMLElement>();

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

  /** A stream has one entry, whose text grows. */
  stream({ id, offset, text, status, reason }: StreamPiece): void {
    const entry = this.streams.get(id) ?? this.begun(id);
    const shown = entry.lastElementChild as HTMLElement;
    // After a reload of the page, the stream comes again from its beginning.
    shown.textContent = `${shown.textContent?.slice(0, offset)}${text}`;
    entry.dataset.status = status;
    if (status === "open") return;
    this.streams.delete(id);
    this.notice(`stream ${id}: ${status}${reason === undefined ? "" : ` (${reason})`}`);
  }

  private begun(id: string): HTMLElement {
    this.count("shown");
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.textContent = `stream ${id}`;
    const entry = append(element("messages"), now(), badge, document.createElement("span"));
    this.streams.set(id, entry);
    return entry;
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
