import type { Message } from "../messages/message";
import { sessionId, type SessionKey } from "../sessions/sessionKey";
import type { Outcome } from "./outcome";

/** The connections that are posted to in parallel, one message at a time each. The SDK has 50 sockets. */
export const MAX_PARALLEL_CONNECTIONS = 50;

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
