import { whatFailed } from "../failure";
import type { DeadLetter } from "./deadLetter";
import type { DeadLetterQueue } from "./deadLetterQueue";

/** What a visitor did with a dead letter: `gone` where it is deleted, `kept` where it stays in the queue. */
export type Visited = "gone" | "kept";

export interface Scan {
  /** Different dead letters that were looked at. */
  letters: number;
  /** Dead letters that the queue counted when the scan began; its count lags. */
  visible: number;
  /** Dead letters that something else was holding when the scan began: it may not have met them. */
  hidden: number;
  /** Kept dead letters that could not be released: they are hidden until their time is up. */
  notReleased: number;
  /**
   * `fewer-than-counted` where no other came although the queue had counted more, `letters-kept-coming` where more were met than
   * there can have been at the beginning, `failed` where the queue could not be read to its end.
   */
  ended: "all-seen" | "fewer-than-counted" | "letters-kept-coming" | "interrupted" | "failed";
  /** What it failed of. */
  failure?: string;
}

/** The count lags by about a minute, and dead letters may be put in meanwhile: so many beyond it are still looked at. */
const SPARE_DEAD_LETTERS = 1_000;

/**
 * A long scan meets dead letters again whose time was up; only where nothing else comes has it seen what the queue hands out. That
 * may be less than it has: those come before others, and of some 120,000 that are hidden at once on, it hands out none.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
 */
const RECEIVES_WITHOUT_NEWS = 3;

/**
 * Shows each dead letter of a queue to a visitor once, up to ten at a time (of a FIFO queue one by one, in order; of those that the
 * visitor keeps, it hands out ten of a group at most), and releases those that it kept. There is no reading
 * of a queue without receiving: until the end the dead letters are hidden from others. Whatever ends it loses no dead letter, and not
 * what the visitor has done.
 *
 * @throws where the dead letters cannot even be counted: then none was shown.
 */
export async function scan(
  queue: DeadLetterQueue,
  visit: (deadLetter: DeadLetter) => Promise<Visited>,
  signal: AbortSignal,
): Promise<Scan> {
  const { visible, hidden } = await queue.count();
  const gone = new Set<string>();
  /** By dead letter, since only the latest receipt handle is sure to work. */
  const kept = new Map<string, string>();
  const take = async (deadLetter: DeadLetter) => {
    const { id, receiptHandle } = deadLetter;
    // A standard queue may hand out a dead letter again that was deleted a moment ago: what was to be done was done.
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

/** Each dead letter once the one before it is done with, whatever became of that. */
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
