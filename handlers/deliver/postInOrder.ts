import { type MessageEnvelope, SUBPROTOCOLS } from "../../protocol";
import type { PostToConnectionDependencies } from "../connections/postToConnection";
import { postToSession } from "../connections/postToSession";
import { expireUnseen, type ExpireUnseenDependencies } from "../history/expireUnseen";
import type { Entry, History } from "../history/history";
import { messageEnvelopeOf } from "../history/messageEnvelope";
import { type Frame, packFrames } from "../history/packFrames";
import { isAvailable, isRetained } from "../history/retention";
import { errorFields } from "../log";
import { ageMs, type Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import { METRICS, type Metrics } from "../metrics";
import type { SessionRow } from "../sessions/sessionItems";
import { NOT_REACHED, type Outcome } from "./outcome";
import type { Numbered } from "./storeInOrder";

/** The sessions of clients that get envelopes. */
export interface PostInOrderDependencies
  extends Omit<PostToConnectionDependencies, "subprotocols">, ExpireUnseenDependencies {
  history: Pick<History, "readCursor" | "addReported">;
  metrics: Metrics;
}

/**
 * Posts one session's messages in the order of their numbers, several to a frame, and sets the outcome of each. `session` was
 * read after they were stored: a client that connects later resumes and gets them. If a message has expired under its number,
 * only the number is posted, so that a connected client does not wait for it; the queue deletes the message either way.
 */
export async function postInOrder(
  numbered: readonly Numbered[],
  session: SessionRow | undefined,
  outcomes: Map<Message, Outcome>,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { now, metrics, retentionMs } = dependencies;
  const nowMs = now();
  // By number: a message that came twice is posted once.
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
  // That of the log, unless these are copies of messages from before a change of epoch.
  const presentEpoch = numbered.at(-1)?.entry.epoch;
  for (const entry of await reportedEntries([...expired.values()], session, presentEpoch, dependencies, signal)) {
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
      outcome = NOT_REACHED;
    } else {
      outcome = await postFrame(frame, inFrame, current, dependencies, signal);
    }
    if (outcome.kind === "delivered") {
      // At once: the age of a delivered message must not include the rest of the batch.
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
 * The expired entries, after they are reported: a client that gets their numbers acknowledges them like any other. None if
 * reporting fails: the client notices the missing numbers and resumes, and `resume` reports them.
 */
async function reportedEntries(
  entries: readonly Entry[],
  session: SessionRow | undefined,
  presentEpoch: string | undefined,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  if (!session || entries.length === 0) return [];
  try {
    const done = await dependencies.history.readCursor(session, signal);
    await expireUnseen({ key: session, done, presentEpoch, entries, signal }, dependencies);
    return entries;
  } catch (error) {
    const messageIds = entries.map(({ messageId }) => messageId);
    dependencies.log.error("expired messages not reported", { messageIds, ...errorFields(error) });
    return [];
  }
}

/** Never rejects: a fault of the relay in one session must not fail the whole batch. */
async function postFrame(
  { text, envelopes }: Frame<MessageEnvelope>,
  messages: readonly Message[],
  session: SessionRow | undefined,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<Outcome> {
  const fields = {
    messageIds: envelopes.map(({ id }) => id),
    sqsMessageIds: messages.map(({ sqsMessageId }) => sqsMessageId),
  };
  try {
    const subprotocols = [SUBPROTOCOLS.v1];
    const posted = await postToSession({ text, fields }, session, { ...dependencies, subprotocols }, signal);
    switch (posted.kind) {
      case "delivered":
        return { kind: "delivered", connectionIds: [posted.session.connectionId] };
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
