import { errorFields, type Log } from "../log";
import type { Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import type { SessionRow } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";
import type { SessionMessages } from "./messagesBySession";
import type { Outcome } from "./outcome";
import { type PartialDeliveriesDependencies, readTakenBy, type TakenBy } from "./partialDeliveries";

export interface ReadSessionsDependencies extends PartialDeliveriesDependencies {
  sessions: Pick<SessionStore, "readAll">;
  log: Log;
}

export interface ReadSessions {
  /** By `sessionId`. */
  rows: ReadonlyMap<string, SessionRow>;
  takenBy: TakenBy;
}

/**
 * The sessions, and which of their connections have taken the messages at earlier attempts. Undefined if that cannot be read:
 * `outcomes` then has the messages' outcomes.
 */
export async function readSessions(
  groups: readonly SessionMessages[],
  outcomes: Map<Message, Outcome>,
  dependencies: ReadSessionsDependencies,
  signal: AbortSignal,
): Promise<ReadSessions | undefined> {
  if (groups.length === 0 || signal.aborted) return undefined;
  const messages = groups.flatMap((group) => group.messages);
  const keys = groups.map(({ key }) => key);
  try {
    const [rows, takenBy] = await Promise.all([
      dependencies.sessions.readAll(keys, signal),
      readTakenBy(messages, dependencies, signal),
    ]);
    return { rows, takenBy };
  } catch (error) {
    dependencies.log.error("sessions not read", errorFields(error));
    // If time was up, no message was reached.
    if (signal.aborted) return undefined;
    const outcome: Outcome = { kind: "failed", reason: REASONS.sessionStoreUnavailable };
    for (const message of messages) outcomes.set(message, outcome);
    return undefined;
  }
}
