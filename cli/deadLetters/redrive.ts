import { stableReason } from "../../handlers/messages/reasons";
import { type DeadLetterSummary, summaryOf } from "./deadLetter";
import { type DeadLetterFilter, matches } from "./deadLetterFilter";
import type { DeadLetterQueue, RetryQueue } from "./deadLetterQueue";
import { plannedRedrive } from "./plannedRedrive";
import { type Scan, scan } from "./scan";

/** The outcome of a matching dead letter. */
export interface Redriven extends DeadLetterSummary {
  outcome: "redriven" | "would-be-redriven" | "skipped" | "refused" | "failed";
  /** Why it was not redriven, or remarks on the redrive. */
  notes: string[];
  /** The ID of the new message if an expired one was redriven. */
  newMessageId?: string;
}

export interface RedriveOptions {
  filter: DeadLetterFilter;
  dryRun: boolean;
  now: () => Date;
  signal: AbortSignal;
}

/** Sends each matching dead letter to the retry queue again, and deletes it only after that. */
export async function redrive(
  queue: DeadLetterQueue,
  retryQueue: RetryQueue,
  { filter, dryRun, now, signal }: RedriveOptions,
): Promise<{ letters: Redriven[]; scan: Scan }> {
  const deadLetters: Redriven[] = [];
  /** Original IDs of the redriven messages. A dead letter that fails again at once would be redriven in a loop. */
  const originals = new Set<string>();
  /** Groups of a FIFO queue with a dead letter that could not be sent: later ones would overtake it. */
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
        report("refused", [`${planned.refused}: can never be delivered. Fix: ${fixOf(planned.refused)}`]);
        return "kept";
      }
      const { message, newMessageId, dropped } = planned;
      const original = summary.originalMessageId ?? deadLetter.id;
      if (originals.has(original)) {
        report("skipped", ["this run already redrove the same message: it was dead-lettered again, or twice before"]);
        return "kept";
      }
      const group = queue.isFifo ? message.messageGroupId : undefined;
      if (group !== undefined && heldBack.has(group)) {
        report("skipped", ["an earlier dead letter of its session could not be sent, and this one would overtake it"]);
        return "kept";
      }
      originals.add(original);
      const notes = [
        ...(newMessageId === undefined ? [] : ["expired, so sent as a new message without expiresAt"]),
        ...(dropped.length === 0 ? [] : [`without the attributes ${dropped.join(", ")}: a message has at most ten`]),
      ];
      if (dryRun) {
        // Without newMessageId: the redrive will generate another one.
        report("would-be-redriven", notes);
        return "kept";
      }
      try {
        await retryQueue.send(message);
      } catch (error) {
        if (group !== undefined) heldBack.add(group);
        report("failed", [`not sent, and not deleted: ${(error as Error).message}`]);
        return "kept";
      }
      try {
        await queue.delete(deadLetter);
      } catch (error) {
        const why = `sent, but not deleted, so another redrive would send it again: ${(error as Error).message}`;
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

function fixOf(refused: string): string {
  return stableReason(refused) === "payload-too-large"
    ? "publish it again in parts, then purge it"
    : "publish it again with usable attributes, then purge it";
}
