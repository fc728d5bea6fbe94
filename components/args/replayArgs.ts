import { refuse } from "./refuse";
import type { ResolvedRetry, RetryArgs } from "./retryArgs";
import { spec } from "./spec";
import type { ThrottleArgs } from "./throttleArgs";

/** How a message reaches a client that was away. All arguments but `delivery` are only for replay mode. */
export interface ReplayArgs {
  /**
   * `retry`: the relay tries to deliver a message until its client is back. `replay`: the relay numbers the message and
   * stores it in a history, and a client that is back and speaks `websocket-relay.v1` asks for the messages that it missed; to
   * other clients they are sent when they connect. A change closes the connections that the new mode does not serve, so that
   * their clients reconnect. @default "retry"
   */
  delivery?: "retry" | "replay";
  /**
   * Seconds for which the history keeps a message, 300 to 1,209,600 (14 days), and longer than the longest retry window.
   * Only in replay mode. @default 86400
   */
  historyRetentionSeconds?: number;
  /**
   * How many times the history was restored to a point in time, 0 to 1,000,000. Raise it by one after each restore: clients
   * may have seen numbers that the restored history does not have, and would take new messages with these numbers for
   * duplicates. Only in replay mode. @default 0
   */
  historyGeneration?: number;
  /**
   * Whether a message that no client acknowledged in time is dead-lettered, with the reason `expired`. Only in replay mode.
   * @default false: the message is counted and logged
   */
  deadLetterExpired?: boolean;
  /**
   * Whether a topic reports the outcome of each message: delivered, accepted, expired or dead. Only in replay mode.
   * @default false
   */
  receipts?: boolean;
  /**
   * Seconds, 30 to 86,400 and fewer than `historyRetentionSeconds`, after which a message that no client has acknowledged gets
   * the receipt `waiting`, for example to send a push notification. Requires `receipts`. Only in replay mode.
   * @default no such receipts
   */
  waitingAfterSeconds?: number;
  /**
   * Whether clients that do not speak `websocket-relay.v1` may connect. They get messages as published, at least once, and may
   * lose what is sent into a half-open connection. Only in replay mode. @default true
   */
  rawClients?: boolean;
  /**
   * The order in which the messages of a session are numbered. `strict`: as they were published, through a FIFO topic and
   * FIFO queues. Only in replay mode. A change **replaces** the topic and the queues. @default "standard": as they arrive,
   * and the queue may let one overtake another
   */
  ordering?: "standard" | "strict";
  /**
   * Whether an HTTP API, with a function of its own, reads the messages of a session over HTTPS: for networks that block
   * WebSockets, and for servers. Only in replay mode. @default false
   */
  httpRead?: boolean;
}

type CheckedArgs = Required<Omit<ReplayArgs, "waitingAfterSeconds">> &
  Pick<ReplayArgs, "waitingAfterSeconds"> &
  Required<RetryArgs> &
  ThrottleArgs;

/** @throws pulumi.InputPropertyError where a combination of values is ruled out. */
export function checkReplay(args: CheckedArgs, { retryWindowSeconds }: ResolvedRetry): void {
  const { delivery, historyRetentionSeconds, ordering } = args;
  if (delivery === "retry") return refuseWithoutReplay(args);
  if (historyRetentionSeconds <= retryWindowSeconds.longest) {
    refuse(
      "historyRetentionSeconds",
      historyRetentionSeconds,
      `over the longest retry window, which maxAttempts, backoffMaxSeconds and the batching window make ` +
        `${retryWindowSeconds.longest} s: otherwise a message could still be retried after its copy in the history has expired and ` +
        `its id is gone, and would be delivered twice`,
      "raise historyRetentionSeconds, or lower maxAttempts or backoffMaxSeconds",
    );
  }
  if (ordering === "strict") refuseUnordered(args);
  refuseUselessWaiting(args);
  refuseUselessThrottles(args);
}

function refuseUselessThrottles(args: CheckedArgs): void {
  if (args.httpRead) return;
  for (const key of ["httpReadThrottlingRateLimit", "httpReadThrottlingBurstLimit"] as const) {
    if (args[key] !== undefined) {
      refuse(key, args[key], "only with httpRead", `set httpRead to true, or leave ${key} out`);
    }
  }
}

function refuseUselessWaiting({ waitingAfterSeconds, receipts, historyRetentionSeconds }: CheckedArgs): void {
  if (waitingAfterSeconds === undefined) return;
  if (!receipts) {
    refuse("waitingAfterSeconds", waitingAfterSeconds, "only with receipts", "set receipts to true, or leave it out");
  }
  if (waitingAfterSeconds >= historyRetentionSeconds) {
    const allowed = `below historyRetentionSeconds (${historyRetentionSeconds}), after which a message gets the receipt expired`;
    refuse("waitingAfterSeconds", waitingAfterSeconds, allowed, "lower it, or raise historyRetentionSeconds");
  }
}

/** Arguments of replay mode would have no effect, except `ordering`, which would do harm. */
function refuseWithoutReplay(args: CheckedArgs): void {
  for (const key of [
    "historyRetentionSeconds",
    "historyGeneration",
    "deadLetterExpired",
    "receipts",
    "waitingAfterSeconds",
    "rawClients",
    "ordering",
    "httpRead",
    "resumeThrottlingRateLimit",
    "resumeThrottlingBurstLimit",
    "acknowledgeThrottlingRateLimit",
    "acknowledgeThrottlingBurstLimit",
    "httpReadThrottlingRateLimit",
    "httpReadThrottlingBurstLimit",
  ] as const) {
    const value = args[key];
    if (value === undefined || value === ("default" in spec[key] ? spec[key].default : undefined)) continue;
    const reason =
      key === "ordering"
        ? ': in "retry", the first message to a user who is away would hold back all later messages in the FIFO queue, beyond its retention'
        : "";
    refuse(
      key,
      value,
      `only where delivery is "replay" (it is "retry")${reason}`,
      `set delivery to "replay", or leave ${key} out`,
    );
  }
}

/** Lambda's limits for a FIFO queue. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html */
function refuseUnordered({ batchSize, maximumBatchingWindowInSeconds }: Required<RetryArgs>): void {
  const where = 'where ordering is "strict", whose queue is FIFO';
  if (batchSize > 10) {
    refuse("batchSize", batchSize, `10 at most ${where}`, "lower batchSize to 10");
  }
  if (maximumBatchingWindowInSeconds > 0) {
    refuse("maximumBatchingWindowInSeconds", maximumBatchingWindowInSeconds, `0 ${where}`, "leave it out");
  }
}
