import type { PostToConnectionDependencies } from "../connections/postToConnection";
import { postToSession } from "../connections/postToSession";
import { hasExpired, idsOf, type Message } from "../messages/message";
import type { SessionRow } from "../sessions/sessionItems";
import type { Outcome } from "./outcome";

/** The sessions of clients that get messages as published. */
export type DeliverMessageDependencies = Omit<PostToConnectionDependencies, "subprotocols">;

/** Delivers one message to the connection of its session; if no client is connected, it is retried. */
export async function deliverMessage(
  message: Message,
  row: SessionRow | undefined,
  dependencies: DeliverMessageDependencies,
  signal: AbortSignal,
): Promise<Outcome> {
  const isLate = () => hasExpired(message, dependencies.now());
  const post = { text: message.body, isLate, fields: { ...idsOf(message) } };
  const posted = await postToSession(post, row, { ...dependencies, subprotocols: [undefined] }, signal);
  switch (posted.kind) {
    case "delivered":
      return { kind: "delivered", connectionIds: [posted.session.connectionId] };
    case "absent":
    case "failed":
      return { kind: "failed", reason: posted.reason };
    case "refused":
    case "late":
      return { kind: "undeliverable", reason: posted.reason };
  }
}
