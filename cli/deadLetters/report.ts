import { counted, listing, printable, table } from "../output";
import type { Terminal } from "../terminal";
import { type DeadLetter, type DeadLetterSummary, summaryOf } from "./deadLetter";
import { HIDDEN_SECONDS } from "./deadLetterQueue";
import type { Scan } from "./scan";

/** A dead letter as `show` prints it: with every attribute, and with its payload on request. */
export interface DeadLetterInFull extends DeadLetterSummary {
  attributes: Record<string, string>;
  messageGroupId?: string;
  payload?: string;
}

export function inFull(deadLetter: DeadLetter, withPayload: boolean): DeadLetterInFull {
  return {
    ...summaryOf(deadLetter),
    attributes: Object.fromEntries(
      Object.entries(deadLetter.attributes).map(([name, { StringValue, BinaryValue }]) => [
        name,
        StringValue ?? Buffer.from(BinaryValue ?? []).toString("base64"),
      ]),
    ),
    messageGroupId: deadLetter.messageGroupId,
    ...(withPayload && { payload: deadLetter.body }),
  };
}

export function deadLetterTable(deadLetters: readonly DeadLetterSummary[]): string {
  return table(
    ["sent at", "user", "context", "contextId", "reason", "attempts", "message id"],
    deadLetters.map((deadLetter) => rowOf(deadLetter)),
  );
}

/** The table with each dead letter's outcome. */
export function outcomeTable(
  deadLetters: readonly (DeadLetterSummary & { outcome: string; notes: string[] })[],
): string {
  return table(
    ["outcome", "sent at", "user", "context", "contextId", "reason", "attempts", "message id", "notes"],
    deadLetters.map((deadLetter) => [deadLetter.outcome, ...rowOf(deadLetter), deadLetter.notes.join("; ")]),
  );
}

export function deadLetterText({ attributes, payload, ...summary }: DeadLetterInFull): string {
  const named: [string, string][] = Object.entries(summary)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
  // A backend's own attribute may have the name of a field of the summary: `id`, or `reason` if the relay set none.
  const shown = new Map(named);
  const others = Object.entries(attributes).filter(([name, value]) => shown.get(name) !== value);
  const text = listing([...named, ...others.map(([name, value]) => [`attribute ${name}`, value] as const)]);
  return payload === undefined ? text : `${text}\n\n${printable(payload, "\n\t")}`;
}

/** Prints notes on a scan, besides its result. */
export function noteScan(
  scan: Scan,
  matching: number,
  { name, isFifo }: { name: string; isFifo: boolean },
  terminal: Terminal,
): void {
  const { letters: deadLetters, visible, hidden, notReleased, ended, failure } = scan;
  terminal.note(`${matching} of ${counted(deadLetters, "dead letter")} read in the ${name} queue match.`);
  if (hidden > 0) {
    terminal.note(
      `Hidden at the start: about ${counted(hidden, "dead letter")}. Another consumer was reading them, or a run was killed: ` +
        `they become visible again within ${HIDDEN_SECONDS} s.`,
    );
  }
  if (notReleased > 0) {
    terminal.note(`Not released: ${counted(notReleased, "dead letter")}, visible again within ${HIDDEN_SECONDS} s.`);
  }
  if (ended === "fewer-than-counted") {
    const why = isFifo
      ? "A FIFO queue returns at most ten dead letters of a session while these stay in it: redrive or purge them to read the " +
        "next ones."
      : "Some dead letters of a long queue may not have been read. Nothing is lost: run the command again.";
    terminal.note(`Counted at the start: about ${counted(visible, "dead letter")}. The count lags by a minute. ${why}`);
  }
  if (ended === "letters-kept-coming") terminal.note("New dead letters kept arriving: the last ones were not read.");
  if (ended === "interrupted") terminal.note("Interrupted: unread dead letters stay in the queue.");
  if (ended === "failed") terminal.note(`error: ${printable(failure ?? "")}. Unread dead letters stay in the queue.`);
}

function rowOf(deadLetter: DeadLetterSummary): string[] {
  // A dead letter with a scope is for every context, or for every contextId of its context.
  const absent = deadLetter.scope === undefined ? "-" : "*";
  const { sentAt, user = "-", context = absent, contextId = absent, reason = "none", attempts = "-" } = deadLetter;
  const messageId = deadLetter.messageId ?? deadLetter.originalMessageId ?? deadLetter.id;
  return [sentAt, user, context, contextId, reason, String(attempts), messageId];
}
