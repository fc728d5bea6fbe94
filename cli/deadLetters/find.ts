import { type DeadLetter, summaryOf } from "./deadLetter";
import { type DeadLetterFilter, matches } from "./deadLetterFilter";
import type { DeadLetterQueue } from "./deadLetterQueue";
import { type Scan, scan } from "./scan";

/** The result of `pick` for each matching dead letter; all of them stay in the queue. */
export async function find<T>(
  queue: DeadLetterQueue,
  pick: (deadLetter: DeadLetter) => T,
  { filter, signal }: { filter: DeadLetterFilter; signal: AbortSignal },
): Promise<{ letters: T[]; scan: Scan }> {
  const deadLetters: T[] = [];
  const result = await scan(
    queue,
    (deadLetter) => {
      if (matches(summaryOf(deadLetter), filter)) deadLetters.push(pick(deadLetter));
      return Promise.resolve("kept");
    },
    signal,
  );
  return { letters: deadLetters, scan: result };
}
