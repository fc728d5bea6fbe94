import { errorFields, type Log } from "../log";
import type { Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import type { SessionRow } from "../sessions/sessionItems";
import type { SessionStore } from "../sessions/sessionStore";
import type { SessionMessages } from "./messagesBySession";
import type { Outcome } from "./outcome";

/** The sessions by `sessionId`; undefined if they cannot be read: `outcomes` then has the messages' outcomes. */
export async function readSessions(
  groups: readonly SessionMessages[],
  outcomes: Map<Message, Outcome>,
  { sessions, log }: { sessions: Pick<SessionStore, "readAll">; log: Log },
  signal: AbortSignal,
): Promise<Map<string, SessionRow> | undefined> {
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
