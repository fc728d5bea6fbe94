import { errorFields, type Log } from "../log";
import type { IsTaken } from "./withScopes";
import type { Attempted } from "./outcome";
import { mayBePartial, type PartialDeliveriesDependencies } from "./partialDeliveries";

/**
 * The same messages; those that would be dead-lettered now, although a connection took them at an earlier attempt, are marked as
 * taken. An attempt that failed before it came to the connections does not know that.
 */
export async function takenEarlier(
  attempted: readonly Attempted[],
  isTaken: IsTaken,
  dependencies: PartialDeliveriesDependencies & { maxAttempts: number; log: Log },
  signal: AbortSignal,
): Promise<readonly Attempted[]> {
  const { partials, connectionsOfSession, maxAttempts, log } = dependencies;
  const unknown = attempted.filter((each) => {
    const { message, outcome } = each;
    const isOpen = outcome.kind === "failed" || outcome.kind === "not-reached";
    const isLast = (isOpen && message.attempt >= maxAttempts) || outcome.kind === "undeliverable";
    return isLast && !each.isTaken && message.attempt > 1 && mayBePartial(message, connectionsOfSession);
  });
  if (unknown.length === 0) return attempted;
  const ids = unknown.map(({ message }) => message.sqsMessageId);
  try {
    const takenBy = await partials.read(ids, signal);
    const taken = new Set(
      unknown.filter((each) => {
        // Another session of its scope may lack it.
        const sessions = [{ ...each, isTaken: true as const }, ...(each.message.key ? [] : [each])];
        return takenBy.has(each.message.sqsMessageId) && isTaken(sessions);
      }),
    );
    return attempted.map((each) => (taken.has(each) ? { ...each, isTaken: true } : each));
  } catch (error) {
    log.error("partial deliveries not read", { sqsMessageIds: ids, ...errorFields(error) });
    return attempted;
  }
}
