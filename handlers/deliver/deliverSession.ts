import type { LimitFunction } from "p-limit";
import type { PostToConnectionDependencies } from "../connections/postToConnection";
import { hasExpired, idsOf, type Message } from "../messages/message";
import { REASONS } from "../messages/reasons";
import type { Session, SessionRow } from "../sessions/sessionItems";
import { liveConnections } from "../sessions/sessionRow";
import { combineOutcomes, type CombinedOutcome, type ConnectionOutcome } from "./combineOutcomes";
import type { Attempted, Outcome } from "./outcome";
import type { TakenBy } from "./partialDeliveries";
import { postAllToConnection } from "./postAllToConnection";

/** The connections of clients that get messages as published. */
export type DeliverSessionDependencies = Omit<PostToConnectionDependencies, "subprotocols">;

/** A client may reconnect again and again while one message is delivered: the queue waits for it, a single attempt does not. */
const MAX_CONNECTIONS_IN_A_ROW = 3;

/** One session's part of a batch. */
export interface SessionDelivery {
  /** In order. */
  messages: readonly Message[];
  row: SessionRow | undefined;
  takenBy: TakenBy;
  /** Of the connections that are served in parallel. */
  limit: LimitFunction;
}

/**
 * Delivers one session's messages to its live connections, in parallel, and in order to each. If a client has reconnected
 * meanwhile, its new connection gets the messages from the one on that the old connection did not take.
 */
export async function deliverSession(
  { messages, row, takenBy, limit }: SessionDelivery,
  dependencies: DeliverSessionDependencies,
  signal: AbortSignal,
): Promise<Attempted[]> {
  const outcomes = new Map(messages.map((message) => [message, new Map<string, ConnectionOutcome>()]));
  const live = row ? liveConnections(row) : [];
  const served = new Set(live.map(({ connectionId }) => connectionId));
  await Promise.all(live.map((connection) => limit(() => serve(connection, messages, 1))));

  let cause: string | undefined;
  return messages.map((message) => {
    const wasTaken = takenBy.has(message.sqsMessageId);
    const { result, taken } = combineOutcomes(outcomes.get(message) ?? new Map(), wasTaken);
    const outcome = outcomeOf(message, result, taken.acceptedBy ?? []);
    if (result.kind === "absent" && outcome.kind === "failed") cause ??= result.reason;
    return { message, outcome, ...taken };
  });

  async function serve(connection: Session, from: readonly Message[], inARow: number): Promise<void> {
    const { connectionId } = connection;
    const set = (message: Message, outcome: ConnectionOutcome) => outcomes.get(message)?.set(connectionId, outcome);
    const hasTaken = ({ sqsMessageId }: Message) => takenBy.get(sqsMessageId)?.has(connectionId) ?? false;
    for (const message of from.filter(hasTaken)) set(message, { kind: "taken" });
    const open = from.filter((message) => !hasTaken(message));
    const posts = open.map((message) => ({
      text: message.body,
      isLate: () => hasExpired(message, dependencies.now()),
      fields: { ...idsOf(message) },
    }));
    const posted = await postAllToConnection(posts, connection, { ...dependencies, subprotocols: [undefined] }, signal);
    posted.outcomes.forEach((outcome, index) => set(open[index] as Message, outcome));

    const { index = 0, row: latest } = posted.ended ?? {};
    const next = latest ? liveConnections(latest).filter((each) => !served.has(each.connectionId)) : [];
    const rest = open.slice(index);
    if (inARow === MAX_CONNECTIONS_IN_A_ROW && next.length > 0) {
      const [reason, heldBack] = [REASONS.connectionGone, `${REASONS.heldBack}: ${REASONS.connectionGone}`];
      rest.forEach((message, i) => set(message, { kind: "failed", reason: i === 0 ? reason : heldBack }));
      return;
    }
    for (const each of next) served.add(each.connectionId);
    await Promise.all(next.map((each) => serve(each, from.slice(from.indexOf(rest[0] as Message)), inARow + 1)));
  }

  function outcomeOf(message: Message, result: CombinedOutcome["result"], connectionIds: readonly string[]): Outcome {
    switch (result.kind) {
      case "delivered":
        return { kind: "delivered", connectionIds };
      case "refused":
      case "late":
        return { kind: "undeliverable", reason: result.reason };
      case "absent":
        if (hasExpired(message, dependencies.now())) return { kind: "undeliverable", reason: REASONS.expired };
        return { kind: "failed", reason: cause === undefined ? result.reason : `${REASONS.heldBack}: ${cause}` };
      default:
        return { kind: result.kind, reason: result.reason };
    }
  }
}
