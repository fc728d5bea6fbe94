import { maxMessageRetentionSeconds } from "../ingress/publisher";
import { refuse, refuseUnlessBoolean, refuseUnlessInteger, refuseUnlessOneOf } from "./refuse";
import type { Retry, RetryArgs } from "./retryArgs";

/** How a message reaches a client that was away; all but `delivery` only where that is `replay`. */
export interface ReplayArgs {
  /**
   * `retry`: a message waits in the queue, and is tried until its client is back. `replay`: it gets a number and stands in a
   * history; a client that is back asks for what it missed. Clients have to speak `websocket-relay.v1` then, and others are
   * refused. A change closes the connections of the former mode, so that their clients come back. @default "retry"
   */
  delivery?: "retry" | "replay";
  /**
   * Seconds for which a message stands in the history, 300 to 1,209,600 (14 days), and longer than the longest retry
   * window. @default 86400
   */
  historyRetentionSeconds?: number;
  /**
   * Whether a message that nobody acknowledged within the retention is dead-lettered, with the reason `expired`.
   * @default false: it is counted, and logged
   */
  deadLetterExpired?: boolean;
  /** Whether there is a topic that says of each message what became of it: delivered, expired, dead. @default false */
  receipts?: boolean;
  /**
   * `strict`: the topic and its queues are FIFO, so that the numbers of a session follow the order in which its messages
   * were published. A change **replaces** the topic and the queues. @default "standard": the order of their arrival, in
   * which the queue may let one overtake another
   */
  ordering?: "standard" | "strict";
}

export const replayDefaults: Required<ReplayArgs> = {
  delivery: "retry",
  historyRetentionSeconds: 86_400,
  deadLetterExpired: false,
  receipts: false,
  ordering: "standard",
};

/** A queue's longest retention is a history's too: what is older would be of no use to the dead letters either. */
const maxHistoryRetentionSeconds = maxMessageRetentionSeconds;

/** @throws pulumi.InputPropertyError where a value, or what several make together, is ruled out. */
export function checkReplay(args: Required<ReplayArgs & RetryArgs>, { retryWindowSeconds }: Retry): void {
  const { delivery, historyRetentionSeconds, ordering } = args;
  refuseUnlessOneOf("delivery", delivery, ["retry", "replay"]);
  refuseUnlessInteger(
    "historyRetentionSeconds",
    historyRetentionSeconds,
    300,
    maxHistoryRetentionSeconds,
    replayDefaults.historyRetentionSeconds,
  );
  refuseUnlessBoolean("deadLetterExpired", args.deadLetterExpired);
  refuseUnlessBoolean("receipts", args.receipts);
  refuseUnlessOneOf("ordering", ordering, ["standard", "strict"]);

  if (delivery === "retry") return refuseWithoutReplay(args);
  // A message's id is known for as long as the history is kept: one that is retried for longer would get a second number.
  if (historyRetentionSeconds <= retryWindowSeconds.longest) {
    refuse(
      "historyRetentionSeconds",
      historyRetentionSeconds,
      `over the longest retry window, which maxAttempts, backoffMaxSeconds and the batching window make ` +
        `${retryWindowSeconds.longest} s: a message that is retried for longer than the history knows it would come twice`,
      "raise historyRetentionSeconds, or lower maxAttempts or backoffMaxSeconds",
    );
  }
  if (ordering === "strict") refuseUnordered(args);
}

/** Each of them would silently do nothing; of `ordering`, see there. */
function refuseWithoutReplay(args: Required<ReplayArgs>): void {
  for (const key of ["historyRetentionSeconds", "deadLetterExpired", "receipts", "ordering"] as const) {
    const value = args[key];
    if (value === replayDefaults[key]) continue;
    const reason =
      key === "ordering"
        ? ': in "retry", the first message to a user who is away would hold all that come after it in the FIFO queue, past its retention'
        : "";
    refuse(
      key,
      value,
      `only where delivery is "replay" (it is "retry")${reason}`,
      `set delivery to "replay", or leave ${key} out`,
    );
  }
}

/** What Lambda takes of a FIFO queue. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html */
function refuseUnordered({ batchSize, maximumBatchingWindowInSeconds }: Required<RetryArgs>): void {
  const where = 'where ordering is "strict", whose queue is FIFO';
  if (batchSize > 10) {
    refuse("batchSize", batchSize, `10 at most ${where}`, "lower batchSize to 10");
  }
  if (maximumBatchingWindowInSeconds > 0) {
    refuse("maximumBatchingWindowInSeconds", maximumBatchingWindowInSeconds, `0 ${where}`, "leave it out");
  }
}
