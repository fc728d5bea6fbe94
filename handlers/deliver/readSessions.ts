import { errorFields, type Log } from "../log";
import type { Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import type { SessionRow } from "../sessions/sessionItems";
import { sessionId } from "../sessions/sessionKey";
import { liveConnections } from "../sessions/sessionRow";
import type { SessionStore } from "../sessions/sessionStore";
import type { SessionMessages } from "./messagesBySession";
import type { Outcome } from "./outcome";
import { mayBePartial, type PartialDeliveriesDependencies, readTakenBy, type TakenBy } from "./partialDeliveries";

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
    const mayBe = (message: Message) => mayBePartial(message, dependencies.connectionsOfSession);
    const [rows, takenBy] = await Promise.all([
      dependencies.sessions.readAll(keys, signal),
      readTakenBy(messages.filter(mayBe), dependencies, signal),
    ]);
    // The setting was `all` when these connected.
    const others = groups.filter(({ key }) => hasSeveral(rows.get(sessionId(key)))).flatMap((group) => group.messages);
    const rest = others.filter((message) => !mayBe(message));
    return { rows, takenBy: new Map([...takenBy, ...(await readTakenBy(rest, dependencies, signal))]) };
  } catch (error) {
    dependencies.log.error("sessions not read", errorFields(error));
    // If time was up, no message was reached.
    if (signal.aborted) return undefined;
    const outcome: Outcome = { kind: "failed", reason: REASONS.sessionStoreUnavailable };
    for (const message of messages) outcomes.set(message, outcome);
    return undefined;
  }
}

function hasSeveral(row: SessionRow | undefined): boolean {
  return row !== undefined && liveConnections(row).length > 1;
}
