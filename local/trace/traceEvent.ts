/** The participants of the flow, in the order in which the diagrams draw them. */
export const participants = [
  "User",
  "Client",
  "BackendApi",
  "Publisher",
  "Gateway",
  "Lambda",
  "WSSessionDB",
  "HistoryDB",
] as const;

export type Participant = (typeof participants)[number];

/**
 * What failed in a step. `half-open`: the network of a connection is gone, unnoticed. `cut`: a connection broke (1006).
 * `message lost`, `frame lost`: the gateway answered 200 for a half-open connection, for a backend's message or for a frame of
 * the relay's own. `disconnect lost`: `$disconnect` is not invoked. `gone`: the gateway answered 410.
 */
export type TraceFailure = "half-open" | "cut" | "message lost" | "frame lost" | "disconnect lost" | "gone";

/** The fields of a step for programs; its label is for people. */
export interface TraceDetails {
  /** The connection that the step belongs to. */
  connectionId?: string;
  /** The route of a client's message, in the steps that answer it. */
  routeKey?: string;
  /** @default nothing failed */
  failure?: TraceFailure;
}

/** One arrow of a sequence diagram: sender, receiver and label. Never carries a payload or a token. */
export interface TraceEvent extends TraceDetails {
  atMs: number;
  from: Participant;
  to: Participant;
  label: string;
}
