import type { SQSMessageAttributes } from "aws-lambda";
import { MESSAGE_ATTRIBUTES } from "../../protocol";
import { append, type AppendDependencies, HistoryContendedError, type NewEntry } from "../history/append";
import type { Entry, EntryHead } from "../history/history";
import { isEnvelopeTooLarge } from "../history/messageEnvelope";
import { errorFields, type Log } from "../log";
import { hasExpired, idsOf, type Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import type { SessionKey } from "../sessions/sessionKey";
import type { SessionMessages } from "./messagesBySession";
import { NOT_REACHED, type Outcome } from "./outcome";

export interface NumberDependencies extends AppendDependencies {
  log: Log;
}

/** A message that has its number. */
export interface Numbered {
  message: Message;
  entry: Entry;
}

/**
 * Gives a session's messages their numbers, one after the other: if one fails, later ones must not get an earlier number. A
 * message that gets none gets its outcome, with the reason.
 */
export async function numberInOrder(
  { key, messages }: SessionMessages,
  outcomes: Map<Message, Outcome>,
  dependencies: NumberDependencies,
  signal: AbortSignal,
): Promise<Numbered[]> {
  const numbered: Numbered[] = [];
  let tail: EntryHead | undefined;
  let cause: string | undefined;
  for (const message of messages) {
    if (cause !== undefined) {
      outcomes.set(message, { kind: "failed", reason: `${REASONS.heldBack}: ${cause}` });
      continue;
    }
    if (signal.aborted) {
      outcomes.set(message, NOT_REACHED);
      continue;
    }
    const { entry, outcome, ...after } = await numberSafely(key, message, tail, dependencies, signal);
    tail = after.tail ?? tail;
    if (entry) {
      numbered.push({ message, entry });
    } else {
      outcomes.set(message, outcome);
      if (outcome.kind === "failed") cause = outcome.reason;
    }
  }
  return numbered;
}

/** The message's entry, or why it has none; `tail` if the newest entry was read. */
type Result = { tail?: EntryHead } & ({ entry: Entry; outcome?: undefined } | { entry?: undefined; outcome: Outcome });

async function numberSafely(
  key: SessionKey,
  message: Message,
  tail: EntryHead | undefined,
  dependencies: NumberDependencies,
  signal: AbortSignal,
): Promise<Result> {
  if (isEnvelopeTooLarge(message)) return { outcome: { kind: "undeliverable", reason: REASONS.payloadTooLarge } };
  try {
    if (hasExpired(message, dependencies.now())) {
      const entry = await entryOfExpired(key, message, dependencies, signal);
      return entry ? { entry } : { outcome: { kind: "undeliverable", reason: REASONS.expired } };
    }
    return await append(key, newEntryOf(message), tail, dependencies, signal);
  } catch (error) {
    dependencies.log.error("message not stored", { ...idsOf(message), ...errorFields(error) });
    return { outcome: { kind: "failed", reason: reasonOf(error, signal) } };
  }
}

/** The entry that an earlier attempt stored of a message that has expired since: its number must be sent. */
async function entryOfExpired(
  key: SessionKey,
  { messageId }: Message,
  { history }: NumberDependencies,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const claim = await history.readClaim(key, messageId, signal);
  const entry = claim && (await history.readEntry(key, claim.seq, signal));
  return entry?.messageId === messageId ? entry : undefined;
}

function newEntryOf({ messageId, body, expiresAtMs, attributes }: Message): NewEntry {
  return { messageId, body, expiresAtMs, attributes: othersOf(attributes) };
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
