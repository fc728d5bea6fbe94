import { stableReason } from "../../handlers/messages/reasons";
import { type DeadLetterSummary, summaryOf } from "./deadLetter";
import { type DeadLetterFilter, matches } from "./deadLetterFilter";
import type { DeadLetterQueue, RetryQueue } from "./deadLetterQueue";
import { plannedRedrive } from "./plannedRedrive";
import { type Scan, scan } from "./scan";

/** What became of a dead letter that matched. */
export interface Redriven extends DeadLetterSummary {
  outcome: "redriven" | "would-be-redriven" | "skipped" | "refused" | "failed";
  /** Why, where it was not redriven; what is to be known, where it was. */
  notes: string[];
  /** The id under which an expired one was redriven as a new message. */
  newMessageId?: string;
}

export interface RedriveOptions {
  filter: DeadLetterFilter;
  dryRun: boolean;
  now: () => Date;
  signal: AbortSignal;
}

/** Sends each dead letter that matches to the retry queue again, and deletes it only after that. */
export async function redrive(
  queue: DeadLetterQueue,
  retryQueue: RetryQueue,
  { filter, dryRun, now, signal }: RedriveOptions,
): Promise<{ letters: Redriven[]; scan: Scan }> {
  const deadLetters: Redriven[] = [];
  /** What dies at once comes back while the scan goes on, and would be redriven in circles. */
  const originals = new Set<string>();
  /** Groups of a FIFO queue of which a dead letter could not be sent: later ones would overtake it. */
  const heldBack = new Set<string>();
  const result = await scan(
    queue,
    async (deadLetter) => {
      const summary = summaryOf(deadLetter);
      if (!matches(summary, filter)) return "kept";
      const report = (outcome: Redriven["outcome"], notes: string[], newMessageId?: string) =>
        deadLetters.push({ ...summary, outcome, notes, newMessageId });

      const planned = plannedRedrive(deadLetter, now());
      if (planned.refused !== undefined) {
        report("refused", [`${planned.refused}: it can never be delivered; ${adviceFor(planned.refused)}`]);
        return "kept";
      }
      const { message, newMessageId, dropped } = planned;
      const original = summary.originalMessageId ?? deadLetter.id;
      if (originals.has(original)) {
        report("skipped", ["the same message was redriven by this run: it died again, or had died twice"]);
        return "kept";
      }
      const group = queue.isFifo ? message.messageGroupId : undefined;
      if (group !== undefined && heldBack.has(group)) {
        report("skipped", ["an earlier one of its session could not be sent: this one would overtake it"]);
        return "kept";
      }
      originals.add(original);
      const notes = [
        ...(newMessageId === undefined ? [] : ["it had expired: as a new message, without expiresAt"]),
        ...(dropped.length === 0 ? [] : [`without the attributes ${dropped.join(", ")}: a message carries ten`]),
      ];
      if (dryRun) {
        // The id will be another one.
        report("would-be-redriven", notes);
        return "kept";
      }
      try {
        await retryQueue.send(message);
      } catch (error) {
        if (group !== undefined) heldBack.add(group);
        report("failed", [`not sent, and still here: ${(error as Error).message}`]);
        return "kept";
      }
      try {
        await queue.delete(deadLetter);
      } catch (error) {
        const why = `sent, but still here, so that a second redrive would send it again: ${(error as Error).message}`;
        report("failed", [...notes, why], newMessageId);
        return "kept";
      }
      report("redriven", notes, newMessageId);
      return "gone";
    },
    signal,
  );
  return { letters: deadLetters, scan: result };
}

function adviceFor(refused: string): string {
  return stableReason(refused) === "payload-too-large"
    ? "publish it again in parts, then purge it"
    : "publish it again with usable attributes, then purge it";
}
