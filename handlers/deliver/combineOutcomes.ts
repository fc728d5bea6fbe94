import type { Posted } from "../connections/postToConnection";
import { REASONS, stableReason } from "../messages/reasons";
import type { Attempted, NOT_REACHED } from "./outcome";

/** The outcome of a message at one connection. */
export type ConnectionOutcome =
  | { kind: "accepted"; atMs: number }
  /** It was accepted at an earlier attempt, and is not posted again. */
  | { kind: "taken" }
  | { kind: "ended"; reason: string }
  | Exclude<Posted, { kind: "accepted" | "ended" }>
  | typeof NOT_REACHED;

/** The outcome of a message at all live connections of its session. */
export interface CombinedOutcome {
  result:
    | { kind: "delivered" }
    /** No connection is left that may take it. */
    | { kind: "absent"; reason: string }
    | { kind: "failed" | "not-reached" | "refused" | "late"; reason: string };
  taken: Pick<Attempted, "isTaken" | "acceptedBy" | "acceptedAtMs" | "missedBy">;
}

/**
 * A message is delivered once every connection has accepted it that has not ended. `outcomes` are in the order of the
 * connections, and `wasTaken` tells whether a connection accepted it at an earlier attempt: it may be one that has ended since.
 */
export function combineOutcomes(outcomes: ReadonlyMap<string, ConnectionOutcome>, wasTaken: boolean): CombinedOutcome {
  const each = [...outcomes];
  const idsOf = (...kinds: ConnectionOutcome["kind"][]) =>
    each.filter(([, { kind }]) => kinds.includes(kind)).map(([connectionId]) => connectionId);
  const acceptedBy = idsOf("accepted");
  const isTaken = wasTaken || acceptedBy.length > 0 || idsOf("taken").length > 0;
  const missedBy = idsOf("failed", "not-reached", "refused", "late");
  const acceptedAtMs = Math.max(...each.map(([, outcome]) => (outcome.kind === "accepted" ? outcome.atMs : 0)));
  return {
    result: resultOf([...outcomes.values()], isTaken),
    taken: {
      ...(isTaken && { isTaken }),
      ...(acceptedBy.length > 0 && { acceptedBy, acceptedAtMs }),
      ...(missedBy.length > 0 && { missedBy }),
    },
  };
}

function resultOf(outcomes: readonly ConnectionOutcome[], isTaken: boolean): CombinedOutcome["result"] {
  // What is refused or late at one connection would be at the others, too.
  for (const kind of ["refused", "late", "failed", "not-reached"] as const) {
    const reasons = outcomes.flatMap((outcome) => (outcome.kind === kind ? outcome.reason : []));
    const reason = reasons.find((each) => !isSecondary(each)) ?? reasons[0];
    if (reason !== undefined) return { kind, reason };
  }
  if (isTaken) return { kind: "delivered" };
  // The last: it is of the connection that has followed another one.
  const ended = outcomes.findLast((outcome) => outcome.kind === "ended");
  return { kind: "absent", reason: ended?.reason ?? REASONS.noSession };
}

/** Whether it says less about the message than another connection's reason does. */
function isSecondary(reason: string): boolean {
  return reason === REASONS.rawBusy || stableReason(reason) === REASONS.heldBack;
}
