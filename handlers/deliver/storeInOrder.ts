import type { SQSMessageAttributes } from "aws-lambda";
import { MESSAGE_ATTRIBUTES } from "../../protocol";
import { append, type AppendDependencies, type Appended, HistoryContendedError, MAX_SEGMENT } from "../history/append";
import { type ClaimDependencies, claimKeys } from "../history/claimKeys";
import type { NewMessage } from "../history/findStored";
import type { Entry, StoredMessage } from "../history/history";
import type { KnownIds, KnownSessions } from "../history/knownIds";
import { isEnvelopeTooLarge } from "../history/messageEnvelope";
import { REPUBLISH_WINDOW_MS, WORKER_LIFE_MS } from "../history/retention";
import { errorFields, type Log } from "../log";
import { hasExpired, idsOf, type Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import { METRICS, type Metrics } from "../metrics";
import type { SessionKey } from "../sessions/sessionKey";
import type { SessionMessages } from "./messagesBySession";
import { NOT_REACHED, type Outcome } from "./outcome";

export interface StoreDependencies extends AppendDependencies, Pick<ClaimDependencies, "claimLimit"> {
  history: AppendDependencies["history"] & ClaimDependencies["history"];
  /** What this environment has read of the ids of sessions. */
  known: KnownSessions;
  metrics: Metrics;
  log: Log;
}

/** A message that is stored, with its number. */
export interface Numbered {
  message: Message;
  entry: Entry;
}

/** With a body of 128 KB, the publisher's attributes may exceed the size of an item (400 KB). */
const MAX_ATTRIBUTES_BYTES = 256 * 1024;

/**
 * Stores a session's messages and gives them their numbers, in order: if some cannot be stored, later ones must not get an
 * earlier number. A message that gets none gets its outcome, with the reason.
 */
export async function storeInOrder(
  { key, messages }: SessionMessages,
  outcomes: Map<Message, Outcome>,
  dependencies: StoreDependencies,
  signal: AbortSignal,
): Promise<Numbered[]> {
  const candidates = messages.filter((message) => {
    // Refused before it gets a number; later messages are stored all the same.
    const isTooLarge = isEnvelopeTooLarge({ messageId: storedIdOf(message), body: message.body });
    if (isTooLarge) outcomes.set(message, { kind: "undeliverable", reason: REASONS.payloadTooLarge });
    return !isTooLarge;
  });
  const numbered: Numbered[] = [];
  const known = dependencies.known.of(key);
  let cause: string | undefined;
  for (const part of partsOf(candidates)) {
    if (cause !== undefined) {
      for (const message of part) outcomes.set(message, { kind: "failed", reason: `${REASONS.heldBack}: ${cause}` });
      continue;
    }
    if (signal.aborted) {
      for (const message of part) outcomes.set(message, NOT_REACHED);
      continue;
    }
    try {
      numbered.push(...(await store(key, part, known, outcomes, dependencies, signal)));
    } catch (error) {
      cause = reasonOf(error, signal);
      dependencies.log.error("messages not stored", {
        messageIds: part.map(({ messageId }) => messageId),
        sqsMessageIds: part.map(({ sqsMessageId }) => sqsMessageId),
        ...errorFields(error),
      });
      for (const message of part) {
        if (!outcomes.has(message)) outcomes.set(message, { kind: "failed", reason: cause });
      }
    }
  }
  return numbered;
}

/** Stores messages that fit into a segment. */
async function store(
  key: SessionKey,
  messages: readonly Message[],
  known: KnownIds,
  outcomes: Map<Message, Outcome>,
  dependencies: StoreDependencies,
  signal: AbortSignal,
): Promise<Numbered[]> {
  const { metrics, now } = dependencies;
  const keyed = messages.flatMap((message) => {
    const { idempotencyKey, sqsMessageId, originalMessageId: owner = sqsMessageId } = message;
    return idempotencyKey === undefined
      ? []
      : [{ message, idempotencyKey, owner, hasExpired: hasExpired(message, now()) }];
  });
  for (const [{ message }, firstSqsMessageId] of await claimKeys(key, keyed, dependencies, signal)) {
    metrics.add(METRICS.duplicates, 1);
    outcomes.set(message, { kind: "duplicate", reason: REASONS.idempotencyKey, firstSqsMessageId });
  }

  const open = messages.filter((message) => !outcomes.has(message));
  const news = new Map(open.map((message) => [message, newMessageOf(message, dependencies)]));
  const appended = await append(key, [...news.values()], dependencies, signal, known);
  return open.flatMap((message): Numbered[] => {
    const stored = appended.get(news.get(message) as NewMessage);
    if (!stored) {
      outcomes.set(message, { kind: "undeliverable", reason: REASONS.expired });
      return [];
    }
    // Only at the first attempt: later, the copy was already counted, or the stored message is this one.
    if (stored.isCopy && message.attempt === 1) countCopy(message, stored, dependencies);
    return [{ message, entry: stored.entry }];
  });
}

function countCopy(message: Message, { entry }: Appended, { metrics, log }: StoreDependencies): void {
  metrics.add(METRICS.duplicates, 1);
  // The body is gone once it has expired.
  if (entry.body === undefined || entry.body === message.body) return;
  metrics.add(METRICS.messageIdConflicts, 1);
  log.warn("another body with a messageId that is known: clients get the first one", {
    ...idsOf(message),
    epoch: entry.epoch,
    seq: entry.seq,
  });
}

/** In order, as many to a part as fit into a segment. */
function partsOf(messages: readonly Message[]): Message[][] {
  const parts: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(JSON.stringify(storedMessageOf(message)));
    const last = parts.at(-1);
    if (last && last.length < MAX_SEGMENT.messages && bytes + size <= MAX_SEGMENT.bytes) {
      last.push(message);
      bytes += size;
    } else {
      parts.push([message]);
      bytes = size;
    }
  }
  return parts;
}

function newMessageOf(message: Message, { now, retentionMs }: StoreDependencies): NewMessage {
  const isRedriven = message.originalMessageId !== undefined;
  return {
    stored: storedMessageOf(message),
    sentAtMs: message.sentAtMs,
    copySinceMs: copySinceMs(message),
    isRedriven,
  };

  function copySinceMs({ sentAtMs, hasOwnId, originalMessageId }: Message): number {
    // As long as there is anything in the log that a client may have got.
    if (originalMessageId !== undefined) return now() - retentionMs - WORKER_LIFE_MS;
    // A message with the queue's id is stored after the queue has accepted it.
    return hasOwnId ? sentAtMs - REPUBLISH_WINDOW_MS : sentAtMs;
  }
}

function storedMessageOf(message: Message): StoredMessage {
  const { body, expiresAtMs } = message;
  const attributes = othersOf(message.attributes);
  const keepsAttributes =
    Object.keys(attributes).length > 0 && Buffer.byteLength(JSON.stringify(attributes)) <= MAX_ATTRIBUTES_BYTES;
  return {
    id: storedIdOf(message),
    body,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(keepsAttributes && { attributes }),
  };
}

/** A message that was redriven is known by its first id. */
function storedIdOf({ messageId, hasOwnId, originalMessageId }: Message): string {
  return hasOwnId ? messageId : (originalMessageId ?? messageId);
}

/** The attributes of a dead letter besides its address, without Lambda's empty lists. */
function othersOf(attributes: SQSMessageAttributes): SQSMessageAttributes {
  const relayAttributes: readonly string[] = Object.values(MESSAGE_ATTRIBUTES);
  const others = Object.entries(attributes).filter(([name]) => !relayAttributes.includes(name));
  return Object.fromEntries(
    others.map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      {
        dataType,
        ...(stringValue !== undefined && { stringValue }),
        ...(binaryValue !== undefined && { binaryValue }),
      },
    ]),
  );
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (error instanceof HistoryContendedError) return REASONS.historyContended;
  return signal.aborted ? REASONS.timeout : REASONS.historyUnavailable;
}
