import type { Cursor } from "../../protocol";
import type { QueuedMessage } from "../messages/message";
import { REASONS } from "../messages/reasons";

/** The outcome of a message, which decides how it is settled. */
export type Outcome =
  /** Deleted from the queue. The connections that took it at this attempt. */
  | { kind: "delivered"; connectionIds: readonly string[] }
  /** Deleted from the queue: it is stored in the history, and the client asks for it when it reconnects. */
  | { kind: "stored"; reason: string }
  /** Deleted from the queue: another message has its idempotency key, whose queue id (the first, if redriven) is given. */
  | { kind: "duplicate"; reason: string; firstSqsMessageId: string }
  /** It can never succeed. */
  | { kind: "undeliverable"; reason: string }
  /** Retried later. */
  | { kind: "failed"; reason: string }
  /** Time was up before an attempt. */
  | { kind: "not-reached"; reason: string };

export const NOT_REACHED: Extract<Outcome, { kind: "not-reached" }> = {
  kind: "not-reached",
  reason: REASONS.notReached,
};

/** A message and its outcome. */
export interface Attempted {
  message: QueuedMessage;
  outcome: Outcome;
  /** Its position in the session's sequence; undefined if it has no number. */
  cursor?: Cursor;
  /** True if a connection has taken it, at this attempt or before: it may be retried for others, and is never dead-lettered. */
  isTaken?: true;
  /** The connections that took it at this attempt. */
  acceptedBy?: readonly string[];
  /** Epoch milliseconds: when the last of them took it. */
  acceptedAtMs?: number;
  /** The open connections that have not taken it. */
  missedBy?: readonly string[];
}
