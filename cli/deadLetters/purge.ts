import { type DeadLetterSummary, summaryOf } from "./deadLetter";
import { type DeadLetterFilter, matches } from "./deadLetterFilter";
import type { DeadLetterQueue } from "./deadLetterQueue";
import { type Scan, scan } from "./scan";

/** The outcome of a matching dead letter. */
export interface Purged extends DeadLetterSummary {
  outcome: "purged" | "failed";
  notes: string[];
}

export interface PurgeOptions {
  filter: DeadLetterFilter;
  /** Only these, by the dead letter's own ID. @default all matching ones */
  ids?: ReadonlySet<string>;
  signal: AbortSignal;
}

/** Deletes each matching dead letter for good. */
export async function purge(
  queue: DeadLetterQueue,
  { filter, ids, signal }: PurgeOptions,
): Promise<{ letters: Purged[]; scan: Scan }> {
  const deadLetters: Purged[] = [];
  const result = await scan(
    queue,
    async (deadLetter) => {
      const summary = summaryOf(deadLetter);
      if (!matches(summary, filter) || (ids && !ids.has(deadLetter.id))) return "kept";
      try {
        await queue.delete(deadLetter);
      } catch (error) {
        deadLetters.push({ ...summary, outcome: "failed", notes: [`not deleted: ${(error as Error).message}`] });
        return "kept";
      }
      deadLetters.push({ ...summary, outcome: "purged", notes: [] });
      return "gone";
    },
    signal,
  );
  return { letters: deadLetters, scan: result };
}
