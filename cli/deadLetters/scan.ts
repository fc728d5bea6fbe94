import { whatFailed } from "../failure";
import type { DeadLetter } from "./deadLetter";
import type { DeadLetterQueue } from "./deadLetterQueue";

/** A visitor's result: `gone` if it deleted the dead letter, `kept` if the dead letter stays in the queue. */
export type Visited = "gone" | "kept";

export interface Scan {
  /** Number of distinct dead letters that were read. */
  letters: number;
  /** Dead letters that the queue counted at the start; its count lags. */
  visible: number;
  /** Dead letters that were hidden at the start: the scan may not have read them. */
  hidden: number;
  /** Kept dead letters that could not be released: they stay hidden until their visibility timeout ends. */
  notReleased: number;
  /**
   * `fewer-than-counted`: the queue returned no more, although it had counted more. `letters-kept-coming`: more were read than
   * can have been there at the start. `failed`: the queue could not be read to its end.
   */
  ended: "all-seen" | "fewer-than-counted" | "letters-kept-coming" | "interrupted" | "failed";
  /** Why the scan failed. */
  failure?: string;
}

/** The count lags by about a minute, and dead letters may arrive during the scan: so many more than counted are still read. */
const SPARE_DEAD_LETTERS = 1_000;

/**
 * A long scan receives dead letters again whose visibility timeout has ended; it is complete only when the queue returns no new
 * ones. The queue may have more: repeated ones come first, and with about 120,000 hidden at once it returns none.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
 */
const RECEIVES_WITHOUT_NEWS = 3;

/**
 * Passes each dead letter of a queue to a visitor once, and releases those that the visitor kept. Up to ten are visited at a
 * time; those of a FIFO queue one by one, in order, and at most ten kept ones of a group. A queue can only be read by receiving,
 * so the dead letters are hidden from others until the end. However the scan ends, no dead letter and no result is lost.
 *
 * @throws if the dead letters cannot be counted: then none was visited.
 */
export async function scan(
  queue: DeadLetterQueue,
  visit: (deadLetter: DeadLetter) => Promise<Visited>,
  signal: AbortSignal,
): Promise<Scan> {
  const { visible, hidden } = await queue.count();
  const gone = new Set<string>();
  /** Receipt handles by dead letter: only the latest one is sure to work. */
  const kept = new Map<string, string>();
  const take = async (deadLetter: DeadLetter) => {
    const { id, receiptHandle } = deadLetter;
    // A standard queue may return a dead letter again that was just deleted: the visitor has already handled it.
    if (gone.has(id)) return queue.delete(deadLetter);
    const isNew = !kept.has(id);
    kept.set(id, receiptHandle);
    if (!isNew || signal.aborted || (await visit(deadLetter)) === "kept") return;
    kept.delete(id);
    gone.add(id);
  };

  const visitAll = async (): Promise<Scan["ended"]> => {
    for (let withoutNews = 0; !signal.aborted;) {
      const before = gone.size + kept.size;
      const deadLetters = await queue.receive();
      const results = await Promise.allSettled(queue.isFifo ? oneByOne(deadLetters, take) : deadLetters.map(take));
      const failed = results.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
      const seen = gone.size + kept.size;
      withoutNews = seen > before ? 0 : withoutNews + 1;
      if (signal.aborted) break;
      if (deadLetters.length === 0 || withoutNews === RECEIVES_WITHOUT_NEWS)
        return seen < visible ? "fewer-than-counted" : "all-seen";
      if (seen > visible + SPARE_DEAD_LETTERS) return "letters-kept-coming";
    }
    return "interrupted";
  };

  const end = await visitAll().then(
    (ended) => ({ ended }),
    (error: unknown) => ({ ended: "failed" as const, failure: whatFailed(error as Error) }),
  );
  const notReleased = await queue.release([...kept.values()]);
  return { letters: gone.size + kept.size, visible, hidden, notReleased, ...end };
}

/** Takes each dead letter once the previous one is done, even if that failed. */
function oneByOne(
  deadLetters: readonly DeadLetter[],
  take: (deadLetter: DeadLetter) => Promise<void>,
): Promise<void>[] {
  let before: Promise<unknown> = Promise.resolve();
  return deadLetters.map((deadLetter) => {
    const taken = before.then(() => take(deadLetter));
    before = taken.catch(() => undefined);
    return taken;
  });
}
