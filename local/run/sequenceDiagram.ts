import { participants, type TraceEvent } from "../trace/traceEvent";

/** The recorded events as a Mermaid sequence diagram. https://mermaid.js.org/syntax/sequenceDiagram.html */
export function sequenceDiagram(events: readonly TraceEvent[]): string {
  const taking = participants.filter((name) => events.some(({ from, to }) => from === name || to === name));
  return [
    "sequenceDiagram",
    ...taking.map((name) => `    participant ${name}`),
    ...events.map(({ from, to, label }) => `    ${from}->>${to}: ${escape(label)}`),
  ].join("\n");
}

/** The same for a reader without a renderer: a line each, timed from the first. */
export function sequenceLog(events: readonly TraceEvent[]): string {
  const startMs = events[0]?.atMs ?? 0;
  return events
    .map(({ atMs, from, to, label }) => {
      const seconds = ((atMs - startMs) / 1000).toFixed(3).padStart(8);
      return `${seconds} s  ${`${from} -> ${to}`.padEnd(26)} ${label}`;
    })
    .join("\n");
}

/** `;` and a line break would end the arrow, `#` begins an entity. */
function escape(label: string): string {
  return label.replace(/[#;]/g, (character) => `#${character.charCodeAt(0)};`).replace(/\s+/g, " ");
}
