import { type MessageEnvelope, SUBPROTOCOLS } from "../../protocol";
import { notReached } from "./batch";
import { errorFields } from "../log";
import { ageMs, type Message } from "../messages/message";
import { METRICS, type Metrics } from "../metrics";
import type { Outcome } from "./outcome";
import { postToSession, type PostToSessionDependencies } from "../connections/postToSession";
import { REASONS } from "../messages/reasons";
import type { Session } from "../sessions/sessionItems";
import { type Frame, messageEnvelopeOf, packFrames } from "../history/envelopes";
import { expireUnseen, type ExpireUnseenDependencies } from "../history/expireUnseen";
import type { Entry, History } from "../history/history";
import type { Numbered } from "./numberInOrder";
import { isAvailable, isRetained } from "../history/retention";

/** Its sessions are those of clients that get envelopes. */
export interface PostInOrderDependencies
  extends Omit<PostToSessionDependencies, "subprotocol">, ExpireUnseenDependencies {
  history: Pick<History, "readAcknowledged" | "strip">;
  metrics: Metrics;
}

/**
 * Posts one session's messages in the order of their numbers, several to a frame, and says in `outcomes` what became of each.
 * `session` is as it was read after they were stored: who opens a connection later asks for them. Of a message that has expired
 * under its number, the number is posted, so that a connected client does not wait for it; whether or not that is taken, the
 * queue is done with it.
 */
export async function postInOrder(
  numbered: readonly Numbered[],
  session: Session | undefined,
  outcomes: Map<Message, Outcome>,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { now, metrics, retentionMs } = dependencies;
  const nowMs = now();
  // By number: one that came twice is posted once.
  const entries = new Map<number, Entry>();
  const messages = new Map<number, Message[]>();
  const expired = new Map<number, Entry>();
  for (const { message, entry } of numbered) {
    if (isAvailable(entry, retentionMs, nowMs)) {
      entries.set(entry.seq, entry);
      messages.set(entry.seq, [...(messages.get(entry.seq) ?? []), message]);
    } else {
      if (isRetained(entry, retentionMs, nowMs)) expired.set(entry.seq, entry);
      outcomes.set(message, { kind: "stored", reason: REASONS.expired });
    }
  }
  for (const entry of await reportExpiredEntries([...expired.values()], session, dependencies, signal)) {
    if (!entries.has(entry.seq)) entries.set(entry.seq, entry);
  }
  const sorted = [...entries.values()].sort((a, b) => a.seq - b.seq);
  const frames = packFrames(sorted.map((entry) => messageEnvelopeOf(entry, nowMs)));

  let current = session;
  let cause: string | undefined;
  for (const frame of frames) {
    const inFrame = frame.envelopes.flatMap(({ seq }) => messages.get(seq) ?? []);
    let outcome: Outcome;
    if (cause !== undefined) {
      outcome = { kind: "failed", reason: `${REASONS.heldBack}: ${cause}` };
    } else if (signal.aborted) {
      outcome = notReached;
    } else {
      outcome = await postFrame(frame, inFrame, current, dependencies, signal);
    }
    if (outcome.kind === "delivered") {
      current = outcome.session;
      // At once: what is delivered is not older for the rest of the batch.
      for (const message of inFrame) {
        metrics.add(METRICS.delivered, 1);
        metrics.add(METRICS.ageAtDelivery, ageMs(message, now()));
      }
    }
    if (outcome.kind === "stored") current = undefined;
    if (outcome.kind === "failed") cause ??= outcome.reason;
    for (const message of inFrame) outcomes.set(message, outcome);
  }
}

/**
 * The expired entries, once they are reported: a client that is told of them acknowledges them like any other. None where
 * that fails: the client misses their numbers and asks, and `resume` reports them.
 */
async function reportExpiredEntries(
  entries: readonly Entry[],
  session: Session | undefined,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  if (!session || entries.length === 0) return [];
  try {
    const acknowledged = await dependencies.history.readAcknowledged(session, signal);
    await expireUnseen({ key: session, acknowledged, entries, reason: "expires-at", signal }, dependencies);
    return entries;
  } catch (error) {
    const messageIds = entries.map(({ messageId }) => messageId);
    dependencies.log.error("expired messages not reported", { messageIds, ...errorFields(error) });
    return [];
  }
}

/** Never rejects: a fault of ours in one session must not send the whole batch around again. */
async function postFrame(
  { text, envelopes }: Frame<MessageEnvelope>,
  messages: readonly Message[],
  session: Session | undefined,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<Outcome> {
  const fields = {
    messageIds: envelopes.map(({ id }) => id),
    sqsMessageIds: messages.map(({ sqsMessageId }) => sqsMessageId),
  };
  try {
    const subprotocol = SUBPROTOCOLS.v1;
    const posted = await postToSession({ text, fields }, session, { ...dependencies, subprotocol }, signal);
    switch (posted.kind) {
      case "delivered":
        return posted;
      case "absent":
        return { kind: "stored", reason: posted.reason };
      default:
        return { kind: "failed", reason: posted.reason };
    }
  } catch (error) {
    dependencies.log.error("messages not handled", { ...fields, ...errorFields(error) });
    return { kind: "failed", reason: REASONS.internalError };
  }
}
