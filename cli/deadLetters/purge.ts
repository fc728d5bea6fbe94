import { type LetterSummary, summaryOf } from "./deadLetter";
import { type LetterFilter, matches } from "./deadLetterFilter";
import type { LetterQueue } from "./deadLetterQueue";
import { type Scan, scan } from "./scan";

/** What became of a letter that matched. */
export interface Purged extends LetterSummary {
  outcome: "purged" | "failed";
  notes: string[];
}

export interface PurgeOptions {
  filter: LetterFilter;
  /** Only these, by the letter's own id. @default all that match */
  ids?: ReadonlySet<string>;
  signal: AbortSignal;
}

/** Deletes each letter that matches, for good. */
export async function purge(
  queue: LetterQueue,
  { filter, ids, signal }: PurgeOptions,
): Promise<{ letters: Purged[]; scan: Scan }> {
  const letters: Purged[] = [];
  const result = await scan(
    queue,
    async (letter) => {
      const summary = summaryOf(letter);
      if (!matches(summary, filter) || (ids && !ids.has(letter.id))) return "kept";
      try {
        await queue.delete(letter);
      } catch (error) {
        letters.push({ ...summary, outcome: "failed", notes: [`still here: ${(error as Error).message}`] });
        return "kept";
      }
      letters.push({ ...summary, outcome: "purged", notes: [] });
      return "gone";
    },
    signal,
  );
  return { letters, scan: result };
}
