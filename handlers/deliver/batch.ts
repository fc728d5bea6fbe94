import { errorFields, type Log } from "../log";
import type { Message } from "../messages/message";
import type { Outcome } from "./outcome";
import { REASONS } from "../messages/reasons";
import { sessionId, type SessionKey } from "../sessions/sessionKey";
import type { Session } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";

/** The sessions that are served in parallel, each with one message at a time. The SDK has 50 sockets. */
export const MAX_PARALLEL_SESSIONS = 50;

export const notReached: Outcome = { kind: "not-reached", reason: REASONS.notReached };

/** One session's messages of a batch, in the batch's order. */
export interface SessionMessages {
  key: SessionKey;
  messages: Message[];
}

/** Groups a batch by session. A message without a session gets its outcome, with the reason. */
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

/** The sessions by `sessionId`; undefined if they cannot be read: `outcomes` then has the messages' outcomes. */
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
    // If time was up, no message was reached.
    if (signal.aborted) return undefined;
    const outcome: Outcome = { kind: "failed", reason: REASONS.sessionStoreUnavailable };
    for (const message of groups.flatMap((group) => group.messages)) outcomes.set(message, outcome);
    return undefined;
  }
}
