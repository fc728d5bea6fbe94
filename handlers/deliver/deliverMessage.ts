import { postToSession, type PostToSessionDependencies } from "../connections/postToSession";
import { hasExpired, idsOf, type Message } from "../messages/message";
import type { Session } from "../sessions/sessionItems";
import type { Outcome } from "./outcome";

/** The sessions of clients that get messages as published. */
export type DeliverMessageDependencies = Omit<PostToSessionDependencies, "subprotocol">;

/** Delivers one message to the connection of its session; if no client is connected, it is retried. */
export async function deliverMessage(
  message: Message,
  session: Session | undefined,
  dependencies: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<Outcome> {
  const isLate = () => hasExpired(message, dependencies.now());
  const post = { text: message.body, isLate, fields: { ...idsOf(message) } };
  const posted = await postToSession(post, session, { ...dependencies, subprotocol: undefined }, signal);
  switch (posted.kind) {
    case "delivered":
      return posted;
    case "absent":
    case "failed":
      return { kind: "failed", reason: posted.reason };
    case "refused":
    case "late":
      return { kind: "undeliverable", reason: posted.reason };
  }
}
