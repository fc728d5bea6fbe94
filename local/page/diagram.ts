import type { Participant, TraceEvent } from "../traceEvent";
import { isAtEnd } from "./elements";
import { columnWidth, columns, rowHeight, rowOf, width } from "./diagramLayout";

const namespace = "http://www.w3.org/2000/svg";
const maxRows = 400;

/**
 * The recorded sequence diagram, a row an arrow: rows are added and removed at the ends, where a library would lay the whole
 * of it out anew for each. Every row is a list entry whose text a screen reader reads.
 */
export class Diagram {
  private readonly rows = document.createElement("ol");
  private readonly waiting: TraceEvent[] = [];
  private isDrawing = false;
  /** How events name the connection of this page; "" where there is none. */
  ownConnection = "";

  constructor(private readonly box: HTMLElement) {
    const names = svg(rowHeight);
    names.setAttribute("class", "names");
    for (const [at, name] of columns.entries()) {
      const text = shape("text", { x: (at + 0.5) * columnWidth, y: 20, "text-anchor": "middle" });
      text.textContent = name;
      names.append(text);
    }
    names.setAttribute("aria-hidden", "true");
    box.append(names, this.rows);
  }

  add(event: TraceEvent): void {
    if (!(columns as readonly Participant[]).includes(event.from)) return;
    if (!(columns as readonly Participant[]).includes(event.to)) return;
    this.waiting.push(event);
    if (this.waiting.length > maxRows) this.waiting.shift();
    if (this.isDrawing) return;
    this.isDrawing = true;
    // A burst is drawn once a frame; in a tab that nobody looks at, not at all until somebody does.
    requestAnimationFrame(() => this.draw());
  }

  clear(): void {
    this.waiting.length = 0;
    this.rows.replaceChildren();
  }

  private draw(): void {
    this.isDrawing = false;
    const followed = isAtEnd(this.box);
    this.rows.append(...this.waiting.splice(0).map((event) => this.row(event)));
    while (this.rows.childElementCount > maxRows) this.rows.firstElementChild?.remove();
    if (followed) this.box.scrollTop = this.box.scrollHeight;
  }

  private row(event: TraceEvent): HTMLLIElement {
    const { fromX, toX, labelX, anchor } = rowOf(event);
    const row = document.createElement("li");
    const isOwn = this.ownConnection !== "" && event.label.includes(this.ownConnection);
    row.className = [isOwn && "own", /lost|410|unnoticed|cut/.test(event.label) && "lost"].filter(Boolean).join(" ");
    const said = document.createElement("span");
    said.className = "for-readers";
    said.textContent = `${event.from} to ${event.to}: ${event.label}`;
    const drawing = svg(rowHeight);
    drawing.setAttribute("aria-hidden", "true");
    for (const at of columns.keys()) {
      const x = (at + 0.5) * columnWidth;
      drawing.append(shape("line", { x1: x, x2: x, y1: 0, y2: rowHeight }));
    }
    const tip = toX > fromX ? -6 : 6;
    const arrow = `M${fromX} 24H${toX}M${toX + tip} 20L${toX} 24L${toX + tip} 28`;
    const label = shape("text", { x: labelX, y: 15, "text-anchor": anchor, class: "label" });
    label.textContent = event.label;
    drawing.append(shape("path", { d: arrow, class: "arrow" }), label);
    row.append(said, drawing);
    return row;
  }
}

function svg(height: number): SVGElement {
  return shape("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}
