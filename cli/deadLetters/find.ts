import { type Letter, summaryOf } from "./deadLetter";
import { type LetterFilter, matches } from "./deadLetterFilter";
import type { LetterQueue } from "./deadLetterQueue";
import { type Scan, scan } from "./scan";

/** What `pick` makes of each letter that matches; all of them stay in the queue. */
export async function find<T>(
  queue: LetterQueue,
  pick: (letter: Letter) => T,
  { filter, signal }: { filter: LetterFilter; signal: AbortSignal },
): Promise<{ letters: T[]; scan: Scan }> {
  const letters: T[] = [];
  const result = await scan(
    queue,
    (letter) => {
      if (matches(summaryOf(letter), filter)) letters.push(pick(letter));
      return Promise.resolve("kept");
    },
    signal,
  );
  return { letters, scan: result };
}
