import type { Ping } from "../../protocol";
import type { Participant, TraceEvent } from "../trace/traceEvent";

/** The participants on the page, in the order of local/trace/traceEvent.ts. The User is left out: it is the page's reader. */
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

const heartbeatRoute: Ping["action"] = "ping";

/** Whether a step is one of the client's heartbeats. */
export function isHeartbeat({ routeKey }: Pick<TraceEvent, "routeKey">): boolean {
  return routeKey === heartbeatRoute;
}
