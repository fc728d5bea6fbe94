import { counted, listing, printable, table } from "../output";
import type { Terminal } from "../terminal";
import { type DeadLetter, type DeadLetterSummary, summaryOf } from "./deadLetter";
import { HIDDEN_SECONDS } from "./deadLetterQueue";
import type { Scan } from "./scan";

/** A dead letter as `show` has it: with every attribute, and its payload where that was asked for. */
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

/** The table, with what was done to each. */
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
  // A backend's own attribute may have the name of what is told here: `id`, or `reason` where the dead letter has none of ours.
  const told = new Map(named);
  const others = Object.entries(attributes).filter(([name, value]) => told.get(name) !== value);
  const text = listing([...named, ...others.map(([name, value]) => [`attribute ${name}`, value] as const)]);
  return payload === undefined ? text : `${text}\n\n${printable(payload, "\n\t")}`;
}

/** What is to be known of a scan, beside its result. */
export function noteScan(
  scan: Scan,
  matching: number,
  { name, isFifo }: { name: string; isFifo: boolean },
  terminal: Terminal,
): void {
  const { letters: deadLetters, visible, hidden, notReleased, ended, failure } = scan;
  terminal.note(`${matching} of ${counted(deadLetters, "dead letter")} looked at in the ${name} queue match.`);
  if (hidden > 0) {
    terminal.note(
      `Hidden when this began: about ${counted(hidden, "dead letter")}. Something else was reading, or a run was killed: what is ` +
        `missing shows again within ${HIDDEN_SECONDS} s.`,
    );
  }
  if (notReleased > 0) {
    terminal.note(
      `Not released: ${counted(notReleased, "dead letter")}, which shows again within ${HIDDEN_SECONDS} s.`,
    );
  }
  if (ended === "fewer-than-counted") {
    const why = isFifo
      ? "A FIFO queue hands out ten of a session at most while they stay in it: what comes after them is met once they are " +
        "redriven or purged."
      : "But of a long queue some may not have been met. Nothing is lost: run it again.";
    terminal.note(
      `Counted when this began: about ${counted(visible, "dead letter")}. The count lags by a minute. ${why}`,
    );
  }
  if (ended === "letters-kept-coming") terminal.note("Dead letters kept coming: those of the end were not looked at.");
  if (ended === "interrupted") terminal.note("Interrupted: what was not looked at is still there.");
  if (ended === "failed") terminal.note(`error: ${printable(failure ?? "")}: what was not looked at is still there.`);
}

function rowOf(deadLetter: DeadLetterSummary): string[] {
  const { sentAt, user = "-", context = "-", contextId = "-", reason = "none", attempts = "-" } = deadLetter;
  const messageId = deadLetter.messageId ?? deadLetter.originalMessageId ?? deadLetter.id;
  return [sentAt, user, context, contextId, reason, String(attempts), messageId];
}
