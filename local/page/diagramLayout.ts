import type { Participant, TraceEvent } from "../traceEvent";

/** The participants that a page has: its user is whoever looks at it. In the order of local/traceEvent.ts. */
export const columns = [
  "Client",
  "BackendApi",
  "Publisher",
  "Gateway",
  "Lambda",
  "WSSessionDB",
  "HistoryDB",
] as const satisfies readonly Participant[];

export const columnWidth = 130;
export const rowHeight = 32;
export const width = columns.length * columnWidth;

// Of the label's font, at most; a label that does not end before the edge ends at it.
const characterWidth = 6.8;
const edge = 6;

export interface Row {
  fromX: number;
  toX: number;
  labelX: number;
  anchor: "start" | "end";
}

/** Where an arrow and its label stand: the label begins above the arrow's left end, and may be longer than the arrow. */
export function rowOf({ from, to, label }: Pick<TraceEvent, "from" | "to" | "label">): Row {
  const x = (name: Participant) => ((columns as readonly Participant[]).indexOf(name) + 0.5) * columnWidth;
  const [fromX, toX] = [x(from), x(to)];
  const labelX = Math.min(fromX, toX) + edge;
  return labelX + label.length * characterWidth <= width - edge
    ? { fromX, toX, labelX, anchor: "start" }
    : { fromX, toX, labelX: width - edge, anchor: "end" };
}
