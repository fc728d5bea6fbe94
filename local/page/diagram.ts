import type { Participant, TraceEvent } from "../trace/traceEvent";
import { type Arrow, arrowOf, columns } from "./diagramLayout";
import { isAtEnd } from "./elements";
import { timeOfDay } from "./inWords";
import type { OwnClient, OwnConnections } from "./ownConnections";

const maxRows = 400;

/**
 * The recorded sequence diagram, a row an arrow: rows are added and removed at the ends, where a library would lay out the
 * whole diagram for each. Every row is a list entry whose text a screen reader reads.
 */
export class Diagram {
  private readonly rows = document.createElement("ol");
  private readonly waiting: { event: TraceEvent; arrow: Arrow }[] = [];
  private readonly events = new WeakMap<Element, TraceEvent>();
  private isDrawing = false;

  constructor(
    private readonly box: HTMLElement,
    private readonly own: OwnConnections,
  ) {
    const names = part("div", "names");
    names.setAttribute("aria-hidden", "true");
    const lanes = part("div", "lanes");
    lanes.append(...columns.map((name) => part("span", "name", name)));
    names.append(part("span", "time", "Time"), lanes);
    box.append(names, this.rows);
  }

  add(event: TraceEvent): void {
    const arrow = arrowOf(event);
    if (!arrow) return;
    this.waiting.push({ event, arrow });
    if (this.waiting.length > maxRows) this.waiting.shift();
    if (this.isDrawing) return;
    this.isDrawing = true;
    // A burst is drawn once a frame. A hidden tab draws nothing until it is shown.
    requestAnimationFrame(() => this.draw());
  }

  /** The page knows a connection only once it is open: the rows of its handshake are drawn by then. */
  claim(connectionId: string): void {
    for (const row of this.rows.children) {
      const event = this.events.get(row);
      if (event?.connectionId === connectionId) this.attribute(row, event);
    }
  }

  clear(): void {
    this.waiting.length = 0;
    this.rows.replaceChildren();
  }

  private draw(): void {
    this.isDrawing = false;
    const followed = isAtEnd(this.box);
    this.rows.append(...this.waiting.splice(0).map(({ event, arrow }) => this.row(event, arrow)));
    while (this.rows.childElementCount > maxRows) this.rows.firstElementChild?.remove();
    if (followed) this.box.scrollTop = this.box.scrollHeight;
  }

  private row(event: TraceEvent, { left, span, pointsTo }: Arrow): HTMLLIElement {
    const row = document.createElement("li");
    row.style.setProperty("--left", String(left));
    row.style.setProperty("--span", String(span));
    const time = document.createElement("time");
    time.className = "time";
    time.dateTime = new Date(event.atMs).toISOString();
    time.textContent = timeOfDay(event.atMs);
    const lanes = part("div", "lanes");
    lanes.setAttribute("aria-hidden", "true");
    const line = part("div", "line");
    line.append(part("span", "label", event.label));
    lanes.append(line, part("div", `arrow ${pointsTo}`));
    row.append(part("span", "for-readers"), time, lanes);
    this.attribute(row, event);
    this.events.set(row, event);
    return row;
  }

  /** Says whose step a row is: in its looks, and in its text. */
  private attribute(row: Element, event: TraceEvent): void {
    const client = this.own.clientOf(event);
    const classes = [client && "own", client === "raw client" && "raw", event.failure !== undefined && "lost"];
    row.className = classes.filter(Boolean).join(" ");
    const [from, to] = [event.from, event.to].map((name) => nameIn(name, client));
    const text = row.querySelector(".for-readers");
    if (text) text.textContent = `${from} to ${to}: ${event.label}`;
  }
}

/** How a row's text names a participant: the page's two clients have one column. */
function nameIn(participant: Participant, client: OwnClient | undefined): string {
  return participant === "Client" && client === "raw client" ? "Raw client" : participant;
}

function part(name: "div" | "span", className: string, text = ""): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
