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

/** Where an arrow is, in columns from the left edge: a participant is in the middle of its column. */
export interface Arrow {
  left: number;
  span: number;
  pointsTo: "left" | "right";
}

/** Undefined where one of the two has no column. */
export function arrowOf({ from, to }: Pick<TraceEvent, "from" | "to">): Arrow | undefined {
  const [start, end] = [from, to].map((name) => (columns as readonly Participant[]).indexOf(name)) as [number, number];
  if (start < 0 || end < 0) return undefined;
  return {
    left: Math.min(start, end) + 0.5,
    span: Math.abs(end - start),
    pointsTo: end > start ? "right" : "left",
  };
}

/** Whether a step failed or was lost, by the trace's own words. Ids and the names of users and contexts may contain any of them. */
export function isTrouble({ label }: Pick<TraceEvent, "label">): boolean {
  return /^410 |\bis lost\b|, unnoticed\b|^the connection is cut\b/.test(label);
}
