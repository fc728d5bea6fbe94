import { once } from "node:events";
import type { LimitFunction } from "p-limit";
import { type MessageEnvelope, SUBPROTOCOLS } from "../../protocol";
import type { Post, PostToConnectionDependencies } from "../connections/postToConnection";
import { expireUnseen, type ExpireUnseenDependencies } from "../history/expireUnseen";
import type { Entry, History } from "../history/history";
import { mergeChunks, numbersOf } from "../history/mergeChunks";
import { messageEnvelopeOf } from "../history/messageEnvelope";
import { type Frame, packFrames } from "../history/packFrames";
import { isAvailable, isRetained } from "../history/retention";
import { errorFields } from "../log";
import type { Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import type { PostToRaw } from "../raw/postToRaw";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import { combineOutcomes, type CombinedOutcome, type ConnectionOutcome } from "./combineOutcomes";
import type { Attempted, Outcome } from "./outcome";
import { addTakenBy, type PartialDeliveriesDependencies, type TakenBy } from "./partialDeliveries";
import { postAllToConnection } from "./postAllToConnection";
import type { Numbered } from "./storeInOrder";
import { timer } from "../timer";

export interface PostInOrderDependencies
  extends Omit<PostToConnectionDependencies, "subprotocols">, ExpireUnseenDependencies, PartialDeliveriesDependencies {
  history: Pick<History, "readCursor" | "addReported">;
  /** Posts to raw clients. @default they are closed: the relay refuses them */
  postToRaw?: PostToRaw;
  /** Waits for the end of what is posted to raw clients. @default a timer */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The number of attempts before a message is dead-lettered. */
  maxAttempts: number;
}

/**
 * How long, once time is up, raw clients' posts may take to report and to move the session's cursor. The rest of the time that
 * `deliver` reserves is for the queues.
 */
const ENDING_MS = 1_500;

/** One session's part of a batch. */
export interface SessionPosts {
  /** Its messages that are stored, in the order of their numbers. */
  numbered: readonly Numbered[];
  /** As it was read after they were stored: a client that connects later resumes and gets them. */
  row: SessionRow | undefined;
  takenBy: TakenBy;
  /** Of the connections that are served in parallel. */
  limit: LimitFunction;
}

/** An entry, and its messages: a message that came twice is posted once. */
interface Posted {
  entry: Entry;
  /** None if it has expired: only its number is posted, so that a connected client does not wait for it. */
  messages: readonly Message[];
  /** The connections that took it at an earlier attempt. */
  takenBy: ReadonlySet<string>;
  outcomes: Map<string, ConnectionOutcome>;
}

/**
 * Posts one session's messages to its live connections, in parallel, and in the order of their numbers to each. Clients that
 * speak the protocol get several to a frame. If a message has expired under its number, the queue deletes it either way.
 */
export async function postInOrder(
  { numbered, row, takenBy, limit }: SessionPosts,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  const { now, retentionMs, postToRaw } = dependencies;
  const nowMs = now();
  // That of the log, unless these are copies of messages from before a change of epoch.
  const presentEpoch = numbered.at(-1)?.entry.epoch;
  const available = numbered.filter(({ entry }) => isAvailable(entry, retentionMs, nowMs));
  const expired = numbered.filter(({ entry }) => !isAvailable(entry, retentionMs, nowMs));

  const live = row ? liveConnections(row) : [];
  const isRaw = ({ subprotocol }: Session) => postToRaw !== undefined && subprotocol === undefined;
  const [raw, others] = [live.filter(isRaw), live.filter((connection) => !isRaw(connection))];
  const retained = expired.map(({ entry }) => entry).filter((entry) => isRetained(entry, retentionMs, nowMs));
  const told = others[0] ? await reportedEntries(retained, others[0], presentEpoch, dependencies, signal) : [];
  const posted = postedOf(available, told, takenBy);
  const inHand = posted.filter(({ messages }) => messages.length > 0);
  const frames = others.length > 0 ? framesOf(posted, nowMs) : [];

  await Promise.all([
    ...others.map((connection) => {
      const open = posted.filter((each) => !each.takenBy.has(connection.connectionId));
      const own = open.length === posted.length ? frames : framesOf(open, nowMs);
      return limit(() => postFrames(own, connection, posted, dependencies, signal));
    }),
    ...(row && postToRaw && raw.length > 0 && inHand.length > 0
      ? [limit(() => postRaw({ row, raw, others, inHand, presentEpoch, postToRaw }, dependencies, signal))]
      : []),
  ]);

  return [
    ...expired.map(({ message }) => ({ message, outcome: { kind: "stored", reason: REASONS.expired } as const })),
    ...inHand.flatMap(({ messages, outcomes }) =>
      messages.map((message) => {
        const { result, taken } = combineOutcomes(outcomes, takenBy.has(message.sqsMessageId));
        return { message, outcome: outcomeOf(message, result, taken, dependencies), ...taken };
      }),
    ),
  ];
}

/** By number, in order. */
function postedOf(available: readonly Numbered[], told: readonly Entry[], takenBy: TakenBy): Posted[] {
  const bySeq = new Map<number, Posted>();
  for (const { entry, message } of available) {
    const { messages = [], takenBy: before = [] } = bySeq.get(entry.seq) ?? {};
    const connectionIds = new Set([...before, ...(takenBy.get(message.sqsMessageId) ?? [])]);
    bySeq.set(entry.seq, { entry, messages: [...messages, message], takenBy: connectionIds, outcomes: new Map() });
  }
  for (const entry of told) {
    if (!bySeq.has(entry.seq)) bySeq.set(entry.seq, { entry, messages: [], takenBy: new Set(), outcomes: new Map() });
  }
  return [...bySeq.values()].sort((a, b) => a.entry.seq - b.entry.seq);
}

/**
 * The expired entries, after they are reported: a client that gets their numbers acknowledges them like any other. None if
 * reporting fails: the client notices the missing numbers and resumes, and `resume` reports them.
 */
async function reportedEntries(
  entries: readonly Entry[],
  { callerId, context }: Session,
  presentEpoch: string | undefined,
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  if (entries.length === 0) return [];
  const key = { callerId, context };
  try {
    const done = await dependencies.history.readCursor(key, signal);
    await expireUnseen({ key, done, presentEpoch, entries, signal }, dependencies);
    return entries;
  } catch (error) {
    const messageIds = entries.map(({ messageId }) => messageId);
    dependencies.log.error("expired messages not reported", { messageIds, ...errorFields(error) });
    return [];
  }
}

function framesOf(posted: readonly Posted[], nowMs: number): Frame<MessageEnvelope>[] {
  return packFrames(mergeChunks(posted.map(({ entry }) => messageEnvelopeOf(entry, nowMs))));
}

/** Posts the frames to a client that speaks the protocol. What is in none of them, it has taken before. */
async function postFrames(
  frames: readonly Frame<MessageEnvelope>[],
  connection: Session,
  posted: readonly Posted[],
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { connectionId } = connection;
  const bySeq = new Map(posted.map((each) => [each.entry.seq, each]));
  const inFrame = frames.map(({ envelopes }) => envelopes.flatMap(numbersOf).flatMap((seq) => bySeq.get(seq) ?? []));
  const posts = frames.map(({ text }, index): Post => {
    const own = inFrame[index] ?? [];
    const fields = {
      messageIds: own.map(({ entry }) => entry.messageId),
      sqsMessageIds: own.flatMap(({ messages }) => messages).map(({ sqsMessageId }) => sqsMessageId),
    };
    return { text, fields };
  });
  const subprotocols = [SUBPROTOCOLS.v1];
  const { outcomes } = await postAllToConnection(posts, connection, { ...dependencies, subprotocols }, signal);
  for (const { outcomes: each, takenBy } of posted) {
    if (takenBy.has(connectionId)) each.set(connectionId, { kind: "taken" });
  }
  outcomes.forEach((outcome, index) => {
    for (const { outcomes: each } of inFrame[index] ?? []) each.set(connectionId, outcome);
  });
}

/** Never rejects: a fault of the relay in one session must not fail the whole batch. */
async function postRaw(
  given: {
    row: SessionRow;
    raw: readonly Session[];
    others: readonly Session[];
    inHand: readonly Posted[];
    presentEpoch: string | undefined;
    postToRaw: PostToRaw;
  },
  dependencies: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { row, raw, others, inHand, presentEpoch, postToRaw } = given;
  const { now, log, partials, connectionsOfSession, maxAttempts } = dependencies;
  const otherIds = new Set(others.map(({ connectionId }) => connectionId));
  // Without a raw connection among them, the session's cursor knows better what raw clients have.
  const hasRaw = (takenBy: ReadonlySet<string>) => [...takenBy].some((connectionId) => !otherIds.has(connectionId));
  const entries = inHand.map(({ entry, takenBy }) => ({ entry, takenBy: hasRaw(takenBy) ? takenBy : undefined }));
  const messagesOf = ({ seq }: Entry) => inHand.find(({ entry }) => entry.seq === seq)?.messages ?? [];
  const onPartial = async (entry: Entry, acceptedBy: readonly string[]) => {
    for (const message of messagesOf(entry)) await addTakenBy(message, acceptedBy, dependencies, signal);
  };
  const readTakenBy = async (of: readonly Entry[]) => {
    if (connectionsOfSession === "newest") return new Map<number, ReadonlySet<string>>();
    const idsOf = (entry: Entry) => messagesOf(entry).map(({ sqsMessageId }) => sqsMessageId);
    const read = await partials.read(of.flatMap(idsOf), signal);
    const taken = of.map((entry) => {
      const connectionIds = idsOf(entry).flatMap((id) => [...(read.get(id) ?? [])]);
      return [entry.seq, new Set(connectionIds)] as const;
    });
    return new Map(taken.filter(([, connectionIds]) => hasRaw(connectionIds)));
  };
  const failAll = (reason: string) => {
    for (const { connectionId } of raw) {
      for (const { outcomes } of inHand) outcomes.set(connectionId, { kind: "failed", reason });
    }
  };
  const isLast = inHand.some(({ messages }) => messages.some(({ attempt }) => attempt >= maxAttempts));
  try {
    const post = { row, connections: raw, entries, presentEpoch, onPartial, readTakenBy, isLast };
    const posted = await endingSoon(postToRaw(post, signal), dependencies, signal);
    if (posted === "late") {
      // The posts' end goes on. If it moves the cursor, the next attempt finds these messages posted.
      log.warn("raw clients' posts not ended in time", { messageIds: inHand.map(({ entry }) => entry.messageId) });
      failAll(REASONS.timeout);
      return;
    }
    for (const [connectionId, outcomes] of posted) {
      outcomes.forEach((outcome, index) => {
        const atMs = now();
        const set = outcome.kind === "accepted" ? { ...outcome, atMs } : outcome;
        inHand[index]?.outcomes.set(connectionId, set);
      });
    }
  } catch (error) {
    const messageIds = inHand.map(({ entry }) => entry.messageId);
    log.error("messages not handled", { messageIds, ...errorFields(error) });
    failAll(REASONS.internalError);
  }
}

/** What the work results in, or "late" if it goes on for too long after the signal has aborted. */
async function endingSoon<T>(
  work: Promise<T>,
  { pause = timer }: PostInOrderDependencies,
  signal: AbortSignal,
): Promise<T | "late"> {
  const ended = new AbortController();
  const late = async () => {
    try {
      if (!signal.aborted) await once(signal, "abort", { signal: ended.signal });
      await pause(ENDING_MS, ended.signal);
    } catch {
      // The work has ended.
    }
    return "late" as const;
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    ended.abort();
  }
}

function outcomeOf(
  { attempt }: Message,
  result: CombinedOutcome["result"],
  { acceptedBy = [], isTaken }: CombinedOutcome["taken"],
  { maxAttempts }: PostInOrderDependencies,
): Outcome {
  switch (result.kind) {
    case "delivered":
      return { kind: "delivered", connectionIds: acceptedBy };
    case "absent":
    case "late":
      return { kind: "stored", reason: result.reason };
    case "not-reached":
      return { kind: "not-reached", reason: result.reason };
    case "refused":
    case "failed": {
      // The next message for these clients, or their next connection, brings it.
      const isSafe = result.reason === REASONS.rawBusy && attempt >= maxAttempts && !isTaken;
      return { kind: isSafe ? "stored" : "failed", reason: result.reason };
    }
  }
}
