import { errorFields, type Log } from "../log";
import type { Message } from "../messages/message";
import type { Outcome } from "./outcome";
import { REASONS } from "../messages/reasons";
import { sessionId, type SessionKey } from "../sessions/sessionKey";
import type { Session } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";

/** A session's messages go one after the other; this bounds how many sessions do so side by side (the SDK has 50 sockets). */
export const MAX_PARALLEL_SESSIONS = 50;

export const notReached: Outcome = { kind: "not-reached", reason: REASONS.notReached };

/** The messages of a batch that are for one session, in its order. */
export interface SessionMessages {
  key: SessionKey;
  messages: Message[];
}

/** The batch by its sessions. What is for none is in `outcomes`, with the reason. */
export function messagesBySession(messages: readonly Message[], outcomes: Map<Message, Outcome>): SessionMessages[] {
  const groups = new Map<string, SessionMessages>();
  for (const message of messages) {
    const { value: key, reason } = message.key;
    if (reason !== undefined) {
      outcomes.set(message, { kind: "undeliverable", reason });
      continue;
    }
    const group = groups.get(sessionId(key)) ?? { key, messages: [] };
    group.messages.push(message);
    groups.set(sessionId(key), group);
  }
  return [...groups.values()];
}

/** The sessions by `sessionId`; or undefined where they cannot be read, and `outcomes` says what became of the messages. */
export async function readSessions(
  groups: readonly SessionMessages[],
  outcomes: Map<Message, Outcome>,
  { sessions, log }: { sessions: Pick<SessionStore, "readAll">; log: Log },
  signal: AbortSignal,
): Promise<Map<string, Session> | undefined> {
  if (groups.length === 0 || signal.aborted) return undefined;
  try {
    return await sessions.readAll(
      groups.map(({ key }) => key),
      signal,
    );
  } catch (error) {
    log.error("sessions not read", errorFields(error));
    // Where time was up, nothing was reached.
    if (signal.aborted) return undefined;
    const outcome: Outcome = { kind: "failed", reason: REASONS.sessionStoreUnavailable };
    for (const message of groups.flatMap((group) => group.messages)) outcomes.set(message, outcome);
    return undefined;
  }
}
