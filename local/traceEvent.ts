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

/** One arrow of a sequence diagram: what was sent, by whom, to whom. Never carries a payload or a token. */
export interface TraceEvent {
  atMs: number;
  from: Participant;
  to: Participant;
  label: string;
}
